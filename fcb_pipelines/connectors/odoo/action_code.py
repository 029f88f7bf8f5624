"""The code of the server action, as text: one piece for each group of verbs.

Odoo evaluates it under `safe_eval`: no imports, no `with`, and no closures, so that a function's
comprehensions and lambdas may use only their own arguments and the names of `HEAD`.
"""

from fcb_pipelines.connectors.odoo.action_cash import CASH

MODULE = "fcb_pipelines"

HEAD = """\
# Written by `fcb ledger setup`; a change made here is undone by it.
task = env.context.get('fcb')
if not task:
    raise UserError('This action works for fcb_pipelines only.')
# Where the company keeps a restrictive audit trail, Odoo's log of each change is a part of the books.
audited = any(env.company.sudo().parent_ids.mapped('restrictive_audit_trail'))
quiet = [] if audited or task['tracking'] else ['tracking_disable', 'mail_notrack',
                                                'mail_create_nolog', 'mail_create_nosubscribe']
env = env(context={**{k: v for k, v in env.context.items() if k != 'fcb'},
                   **{key: True for key in quiet}})
MODULE = 'fcb_pipelines'
ALLOCATION_FIELDS = ['x_fc_source_ref', 'x_fc_content_hash', 'x_fc_date', 'x_fc_memo']
verb = task['verb']
answer = {'done': True}
names = env['ir.model.data'].sudo()
moves = env['account.move']
lines = env['account.move.line']
partials = env['account.partial.reconcile']
named = []

def note(some):
    # One note a move stands for the log that is switched off.
    if quiet and some:
        some._message_log_batch({move.id: 'Posted by fcb_pipelines as %s' % move.x_fc_source_ref
                                 for move in some})
"""

FINDING = """
if verb == 'find':
    domain = [('module', '=', MODULE), ('model', 'in', task['models'])]
    wanted = []
    if task.get('ids') is not None:
        domain.append(('res_id', 'in', task['ids']))
    if task.get('names') is not None:
        wanted.append([('name', 'in', task['names'])])
    if wanted and task.get('of'):
        entries = moves.search([('x_fc_document_ref', 'in', task['of'])])
        sides = (moves.search([('x_fc_source_ref', 'in', task['of'])]) | entries).ids
        drawn = partials.search([
            ('x_fc_source_ref', '!=', False),
            '|', ('debit_move_id.move_id', 'in', sides), ('credit_move_id.move_id', 'in', sides),
        ])
        notes = moves.search([('x_fc_reverses_ref', 'in', task['of'])])
        for records in (notes | entries, entries.origin_payment_id, drawn):
            wanted.append([('model', '=', records._name), ('res_id', 'in', records.ids)])
    if wanted:
        domain += ['|'] * (len(wanted) - 1)
        for some in wanted:
            domain += ['&'] * (len(some) - 1) + some
    found = names.search_read(domain, ['name', 'model', 'res_id'], order='id')
    answer['found'] = [[row['name'], row['model'], row['res_id']] for row in found]

if verb == 'identity':
    answer['uuid'] = env['ir.config_parameter'].sudo().get_param('database.uuid')
    answer['audited'] = audited
    answer['code'] = env['ir.actions.server'].sudo().browse(task['action']).code
"""

WRITING = """
if verb == 'partners':
    partners = env['res.partner'].with_context(no_vat_validation=True)
    made = partners.create([row['values'] for row in task['new']])
    for partner, row in zip(made, task['new']):
        named += [(name, 'res.partner', partner.id) for name in row['names']]
    for row in task['known']:
        if row['values']:
            partners.browse(row['id']).write(row['values'])
        named += [(name, 'res.partner', row['id']) for name in row['names']]

if verb == 'drafts':
    old = moves.browse(task['replace']).exists()
    if any(move.state != 'draft' for move in old):
        raise UserError('A draft that was to be rebuilt is posted by now.')
    old.unlink()
    made = moves.create([row['values'] for row in task['rows']])
    answer['refused'] = []
    for move, row in zip(made, task['rows']):
        scale = 10 ** row['decimals']
        taxed = {}
        for line in move.line_ids.filtered('tax_line_id'):
            taxed.setdefault(line.tax_line_id.id, []).append(line)
        wanted = dict(row['taxes'])
        allowed = dict(row['allowed'])
        wrong = []
        mend = []
        for tax in {**wanted, **taxed}:
            have = sum(round(line.amount_currency * scale) for line in taxed.get(tax, []))
            residue = wanted.get(tax, 0) - have
            if residue and (abs(residue) > allowed.get(tax, 0) or tax not in taxed):
                wrong.append([tax, have, wanted.get(tax, 0)])
            elif residue:
                mend.append((taxed[tax][0], residue))
        net = round(move.amount_untaxed * scale)
        if wrong or net != row['net']:
            answer['refused'].append({'name': row['name'], 'net': net, 'taxes': wrong})
            move.unlink()
            continue
        for line, residue in mend:
            amount = (round(line.amount_currency * scale) + residue) / scale
            line.write({'amount_currency': amount})
        if round(move.amount_total * scale) != row['total']:
            raise UserError('%s: total %s after the tax residue' % (row['name'], move.amount_total))
        named.append((row['name'], 'account.move', move.id))

if verb == 'post':
    posting = moves.browse([row[0] for row in task['rows']])
    drafts = posting.filtered(lambda move: move.state == 'draft')
    drafts.action_post()
    note(drafts)
    for move, row in zip(posting, task['rows']):
        if move.state != 'posted' or str(move.date) != row[1]:
            raise UserError('%s would be %s on %s, not posted on %s: see the lock dates'
                            % (move.ref, move.state, move.date, row[1]))
    # Only now: Odoo reconciles a draft with what it reverses when it posts it.
    notes = moves.search([
        ('x_fc_reverses_ref', '!=', False), ('reversed_entry_id', '=', False),
        ('state', '=', 'posted'), '|', ('id', 'in', posting.ids),
        ('x_fc_reverses_ref', 'in', posting.mapped('x_fc_source_ref')),
    ])
    reversed_refs = notes.mapped('x_fc_reverses_ref')
    standing = moves.search([('x_fc_source_ref', 'in', reversed_refs), ('state', '=', 'posted')])
    by_ref = {move.x_fc_source_ref: move.id for move in standing}
    for note in notes:
        if note.x_fc_reverses_ref in by_ref:
            note.write({'reversed_entry_id': by_ref[note.x_fc_reverses_ref]})
"""

MATCHING = """
def receivable_of(some):
    return some.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')

def open_lines(some):
    # What is open of these moves on a receivable, earlier ones first.
    found = receivable_of(some).filtered(lambda line: line.parent_state == 'posted'
                                         and not line.reconciled)
    return found.sorted(lambda line: (line.date, line.id))

def fitting(ones, others):
    # The pairs of a line of each side that can be matched, earlier ones first.
    pairs = []
    for one in ones:
        for other in others:
            apart = one.account_id != other.account_id or one.currency_id != other.currency_id
            if not apart and (one.amount_currency > 0) != (other.amount_currency > 0):
                pairs.append((one, other))
    return pairs

def match(pairs):
    # Each pair as far as both are open, in the order of the pairs. One plan carries any number of
    # them in the company's currency. In another one a line comes once a plan: Odoo notes the
    # exchange difference on the first pair of a plan that shares a line with it.
    while pairs:
        plan = []
        later = []
        taken = set()
        for one, other in pairs:
            if one.currency_id != one.company_currency_id:
                if one.reconciled or other.reconciled:
                    continue
                waits = one.id in taken or other.id in taken
                taken |= {one.id, other.id}
                if waits:
                    later.append((one, other))
                    continue
            plan.append(one | other)
        if plan:
            lines._reconcile_plan(plan)
        pairs = later

def spare(one, other):
    # How much can be matched between the two, major units; 0 where they do not fit.
    apart = one.account_id != other.account_id or one.currency_id != other.currency_id
    if not one or not other or apart or (one.amount_currency > 0) == (other.amount_currency > 0):
        return 0
    return min(abs(one.amount_residual_currency), abs(other.amount_residual_currency))

def values_of(line):
    return {'aml': line, 'amount_residual': line.amount_residual,
            'amount_residual_currency': line.amount_residual_currency}

def match_a_part(one, other, amount):
    # Odoo matches all that two lines have in common; so one of them is shown to it as if no more
    # than the amount were open there. Odoo's own code computes the rest, exchange differences too.
    debit, credit = (one, other) if one.amount_currency > 0 else (other, one)
    shown = values_of(debit)
    share = amount / debit.amount_residual_currency
    shown['amount_residual_currency'] = amount
    shown['amount_residual'] = debit.company_currency_id.round(debit.amount_residual * share)
    result = lines._prepare_reconciliation_single_partial(shown, values_of(credit))
    partial = partials.create(result['partial_values'])
    exchange = result.get('exchange_values')
    if exchange and exchange['move_values']['line_ids']:
        made = lines._create_exchange_difference_moves([exchange])
        partial.write({'exchange_move_id': made.id})
    return partial

def match_exactly(one, other, amount):
    # The pair's new matching over exactly the amount; nothing where less than that is open.
    if not one or not other:
        return partials
    currency = one.currency_id
    if currency.compare_amounts(spare(one, other), amount) < 0:
        return partials
    if currency.compare_amounts(spare(one, other), amount) > 0:
        return match_a_part(one, other, amount)
    pair = [('debit_move_id', 'in', (one | other).ids), ('credit_move_id', 'in', (one | other).ids)]
    lines._reconcile_plan([one | other])
    return partials.search(pair, order='id desc', limit=1)

def free(entry, document, ours):
    # Undo the matching of an entry with its document and the entries beside it; allocations stay.
    pairs = entry.line_ids.matched_debit_ids | entry.line_ids.matched_credit_ids
    for pair in pairs.filtered(lambda pair: not pair.x_fc_source_ref):
        # With its pair Odoo takes back an exchange difference, and that one's own matching.
        if not pair.exists():
            continue
        other = (pair.debit_move_id | pair.credit_move_id).move_id - entry
        if other <= (document | ours):
            pair.unlink()
"""

SETTLING = """
if verb == 'settle':
    entries = {}
    for model in ('account.payment', 'account.move'):
        rows = [row for row in task['rows'] if row['model'] == model]
        made = env[model].create([row['values'] for row in rows])
        made.action_post()
        for record, row in zip(made, rows):
            entry = record.move_id if model == 'account.payment' else record
            if not entry or entry.state != 'posted' or str(entry.date) != row['date']:
                raise UserError('%s: the entry is %s on %s, not posted on %s; see the lock dates '
                                'and the outstanding account of journal %s' % (row['name'],
                                entry.state, entry.date, row['date'], record.journal_id.code))
            if row['entry']:
                entry.write(row['entry'])
            entries[row['name']] = entry
            named.append((row['name'], model, record.id))
    note(moves.concat(*entries.values()))

    # What each document is settled with: the entries of this call, and all that stand beside it.
    groups = []
    refs = [group['ref'] for group in task['groups']]
    beside = moves.search([('x_fc_document_ref', 'in', refs), ('x_fc_source_ref', '!=', False),
                           ('state', '=', 'posted')])
    by_document = beside.grouped('x_fc_document_ref')
    for group in task['groups']:
        document = moves.browse(group['document'])
        if document.state != 'posted':
            raise UserError('%s is not posted' % group['ref'])
        asked = moves.browse(group['entries'])
        for name in group['names']:
            asked |= entries[name]
        groups.append([document, asked, by_document.get(group['ref'], moves)])

    # 1. What is undone: the payment is freed and matched with its failure.
    for group in groups:
        document, asked, ours = group
        payments = {entry.x_fc_source_ref: entry for entry in ours}
        for failure in ours.filtered('x_fc_undoes'):
            payment = payments.get(failure.x_fc_undoes, moves)
            if not (payment and (failure in asked or payment in asked) and open_lines(failure)):
                continue
            needed = sum(abs(line.amount_residual_currency) for line in open_lines(failure))
            there = sum(abs(line.amount_residual_currency) for line in open_lines(payment))
            if document.currency_id.compare_amounts(there, needed) < 0:
                free(payment, document, ours)
                # What waited beside the document takes the place of what failed.
                group[1] |= ours
            match(fitting(open_lines(failure), open_lines(payment)))

    # 2. What puts back, with what takes off: at least one of a pair is asked for. A payment that the
    # document has already gives way.
    for group in groups:
        document, asked, ours = group
        plain = ours.filtered(lambda entry: not entry.x_fc_undoes)
        match(fitting(open_lines(plain & asked), open_lines(plain)))
        owing = receivable_of(document)[:1].amount_currency > 0
        for line in open_lines(plain & asked):
            if (line.amount_currency > 0) != owing:
                continue
            for payment in plain.sorted(lambda entry: (entry.date, entry.id)):
                own = receivable_of(payment)[:1]
                if own and (own.amount_currency > 0) != owing and not line.reconciled:
                    free(payment, document, moves)
                    group[1] |= ours
                    match(fitting(line, open_lines(payment)))

    # 3. Allocations: exactly their amount or, where that is not open on both sides, nothing. One that
    # failed is matched with its failure instead, under the same id; the document is open again.
    failures = {entry.x_fc_undoes: entry for group in groups for entry in group[2]
                if entry.x_fc_undoes}
    for pair in partials.search([('x_fc_source_ref', 'in', list(failures))]):
        failure = open_lines(failures[pair.x_fc_source_ref])
        amount = pair.debit_amount_currency
        there = sum(abs(line.amount_residual_currency) for line in failure)
        if not failure or failure.currency_id.compare_amounts(there, amount) < 0:
            continue
        drawn = pair.credit_move_id if failure.amount_currency > 0 else pair.debit_move_id
        carried = {field: pair[field] for field in ALLOCATION_FIELDS}
        # Odoo drops its name with it.
        its_name = names.search([('model', '=', pair._name), ('res_id', '=', pair.id),
                                 ('module', '=', MODULE)]).name
        pair.unlink()
        made = match_exactly(failure, drawn, amount)
        made.write(carried)
        named.append((its_name, made._name, made.id))
    for row in task['allocations']:
        document = moves.browse(row['document'])
        failure = failures.get(row['values']['x_fc_source_ref'], moves)
        drawn = entries[row['receipt']] if row['receipt'] else moves.browse(row['drawn'])
        # Odoo counts in floats of its own, rounded to the currency.
        amount = row['amount'] / 10 ** row['decimals']
        made = (match_exactly(open_lines(failure), open_lines(drawn), amount)
                or match_exactly(open_lines(document), open_lines(drawn), amount))
        if made:
            made.write(row['values'])
            named.append((row['name'], made._name, made.id))

    # 4. The rest, with the document: no line is of two groups, so one plan does for all of them.
    rest = []
    for document, asked, ours in groups:
        rest += fitting(open_lines(document), open_lines(asked))
    match(rest)
"""

NAMING = """
if named:
    for row in names.search([('module', '=', MODULE), ('name', 'in', [each[0] for each in named])]):
        if env[row.model].sudo().browse(row.res_id).exists():
            raise UserError('already written by another: %s' % row.name)
        # Left behind by a deletion beside the ORM.
        row.unlink()
    names.create([{'module': MODULE, 'name': name, 'model': model, 'res_id': res_id,
                   'noupdate': True} for name, model, res_id in named])
action = answer
"""

CODE = HEAD + FINDING + WRITING + MATCHING + SETTLING + CASH + NAMING
