"""The piece of the server action's code for cash: entries, their matching, and statements.

It is evaluated after the pieces of `action_code`, and under the same terms. Odoo's own amounts and rates are
floats; the exact ones come in as minor units, and read-back compares what Odoo made of them to the cent.
"""

CASH = """
def company_amounts(row):
    # A balance in another currency: what each of its lines is in the company's. A line that is in the
    # company's currency is so already and sets the rate of the others; without one it is Odoo's of the
    # day. Sums are rounded, not lines, so that they come to zero.
    values = [command[2] for command in row['values']['line_ids']]
    company = env.company
    money = env['res.currency'].browse(row['currency'])
    fixed = {}
    others = 0
    for place in range(len(values)):
        if values[place]['currency_id'] == company.currency_id.id:
            fixed[place] = values[place]['amount_currency'] = float(values[place]['amount_currency'])
        else:
            others += row['amounts'][place]
    rate = money._get_conversion_rate(money, company.currency_id, company, row['date'])
    rate = rate / 10 ** row['decimals']
    if fixed and others:
        rate = -sum(fixed.values()) / others
    running = given = 0
    for place in range(len(values)):
        if place in fixed:
            values[place]['balance'] = fixed[place]
            continue
        running += row['amounts'][place]
        share = company.currency_id.round(running * rate)
        values[place]['balance'] = company.currency_id.round(share - given)
        given = share

if verb == 'cash':
    for row in task['rows']:
        if row['foreign']:
            company_amounts(row)
    made = env['account.bank.statement.line'].create([row['values'] for row in task['rows']])
    note(made.move_id)
    for record, row in zip(made, task['rows']):
        entry = record.move_id
        right = entry.state == 'posted' and str(entry.date) == row['date']
        if not right or len(entry.line_ids) != len(row['amounts']):
            raise UserError('%s: the entry is %s on %s with %s lines, not posted on %s with %s; see '
                            'the lock dates' % (row['name'], entry.state, entry.date,
                            len(entry.line_ids), row['date'], len(row['amounts'])))
        named.append((row['name'], record._name, record.id))

    # All that is open of a key in one currency is one group; all groups are one plan.
    keys = dict(task['meets'])
    groups = {}
    for line in lines.search([
        ('account_id', '=', task['account']), ('company_id', '=', env.company.id),
        ('parent_state', '=', 'posted'), ('reconciled', '=', False),
        '|', ('x_fc_meets', 'in', list(keys.values())),
        ('move_id.x_fc_source_ref', 'in', list(keys)),
    ], order='date, id'):
        key = line.x_fc_meets or keys.get(line.move_id.x_fc_source_ref)
        groups.setdefault((key, line.currency_id.id), []).append(line)
    plan = []
    for group in groups.values():
        if len({line.amount_residual_currency > 0 for line in group}) == 2:
            plan.append(lines.concat(*group))
    if plan:
        lines._reconcile_plan(plan)

if verb == 'statements':
    statements = env['account.bank.statement']
    entries = env['account.bank.statement.line']
    if entries.browse([line for row in task['rows'] for line in row['lines']]).statement_id:
        raise UserError('already written by another: an entry is in a statement by now.')
    # Odoo orders statements by the index of their first lines, and a line's index begins with its
    # day: of two payouts the later one may have the earlier charge. Ours are ordered as they were
    # written, after all that are there and before every line that is in none.
    days = {}
    for journal in {row['journal'] for row in task['rows']}:
        before = statements.search([('journal_id', '=', journal), ('first_line_index', '!=', False)],
                                   order='first_line_index desc', limit=1).first_line_index
        first = entries.search([('journal_id', '=', journal)], order='internal_index', limit=1)
        days[journal] = (before or first.internal_index)[:8]
        if before and before[8:] >= '1':
            # A person's, made over lines with an index of Odoo's own.
            days[journal] = '%08d' % (int(before[:8]) + 1)
    made = statements.create([{**row['values'], 'line_ids': [[6, 0, row['lines']]]}
                              for row in task['rows']])
    for statement, row in zip(made, task['rows']):
        for place, line in enumerate(entries.browse(row['lines'])):
            index = '%s%010d%010d' % (days[row['journal']], statement.id, place)
            line.write({'internal_index': index})
        named.append((row['name'], statement._name, statement.id))
    # The date and the balances that Odoo derives from lines give way to those that were told.
    env.flush_all()
    for statement, row in zip(made, task['rows']):
        statement.write({name: row['values'][name]
                         for name in ('date', 'balance_start', 'balance_end_real')})
"""
