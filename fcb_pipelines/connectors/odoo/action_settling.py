"""The part of the server action's code that settles: what is matched with what, and how far.

`connectors.odoo.action_code` says what this code may use.
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

def paying(document):
    # The entries of ours that stand beside a document.
    of = document.move_type != 'entry' and document.x_fc_source_ref
    return moves.search([('x_fc_document_ref', '=', of), ('x_fc_source_ref', '!=', False),
                         ('state', '=', 'posted')]) if of else moves

def giving_way(document):
    # The pairs of a document and its payments: what an allocation may take the place of.
    payments = paying(document)
    own = document.line_ids
    found = partials
    for pair in own.matched_debit_ids | own.matched_credit_ids:
        other = (pair.debit_move_id | pair.credit_move_id).move_id - document
        if not pair.x_fc_source_ref and other and other <= payments:
            found |= pair
    return found

def make_room(document, drawn, amount):
    # Undo what payments take off the two, where both have room for the allocation then.
    giving = partials
    for side in (document, drawn):
        room = sum(abs(line.amount_residual_currency) for line in open_lines(side))
        if document.currency_id.compare_amounts(room, amount) < 0:
            pairs = giving_way(side)
            room += sum(pairs.mapped('debit_amount_currency'))
            giving |= pairs
        if document.currency_id.compare_amounts(room, amount) < 0:
            return []
    giving.unlink()
    return [document, drawn] if giving else []
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

    # 3. Allocations: exactly their amount or, where that is not open on both sides, nothing; payments
    # give way to them. One that failed is matched with its failure instead, under the same id; the document is open again.
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
        made = match_exactly(open_lines(failure), open_lines(drawn), amount)
        if not made:
            groups += [[side, paying(side), moves] for side in make_room(document, drawn, amount)]
            made = match_exactly(open_lines(document), open_lines(drawn), amount)
        if made:
            made.write(row['values'])
            named.append((row['name'], made._name, made.id))

    # 4. The rest, with the document: no line is of two documents, so one plan does for all of them.
    waiting = {}
    for document, asked, ours in groups:
        waiting[document] = waiting.get(document, moves) | asked
    rest = []
    for document in waiting:
        rest += fitting(open_lines(document), open_lines(waiting[document]))
    match(rest)
"""
