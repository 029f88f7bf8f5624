"""The code of the two server actions, as text: one piece for each group of verbs.

Odoo evaluates it under `safe_eval`: no imports, no `with`, and no closures, so that a function's
comprehensions and lambdas may use only their own arguments and the names of `HEAD`. At each call it compiles
the whole text and looks at each instruction, 16 ms for all pieces: so what only reads is an action of its own,
with as little code as it needs (5 ms).
"""

from fcb_pipelines.connectors.odoo.action_cash import CASH
from fcb_pipelines.connectors.odoo.action_lease import LEASE
from fcb_pipelines.connectors.odoo.action_settling import MATCHING, SETTLING

MODULE = "fcb_pipelines"

HEAD = """\
# Written by `fcb ledger setup`; a change made here is undone by it.
task = env.context.get('fcb')
if not task:
    raise UserError('This action works for fcb_pipelines only.')
MODULE = 'fcb_pipelines'
verb = task['verb']
answer = {'done': True}
# Where the company keeps a restrictive audit trail, Odoo's log of each change is a part of the books.
reads = verb in ('find', 'read')
audited = not reads and any(env.company.sudo().parent_ids.mapped('restrictive_audit_trail'))
quiet = [] if audited or task['tracking'] else ['tracking_disable', 'mail_notrack',
                                                'mail_create_nolog', 'mail_create_nosubscribe']
env = env(context={**{k: v for k, v in env.context.items() if k != 'fcb'},
                   **{key: True for key in quiet}})
names = env['ir.model.data'].sudo()
moves = env['account.move']
lines = env['account.move.line']
partials = env['account.partial.reconcile']
"""

NOTING = """
ALLOCATION_FIELDS = ['x_fc_source_ref', 'x_fc_content_hash', 'x_fc_date', 'x_fc_memo']
messages = env['mail.message']
named = []

def note(some):
    # One note a move stands for the log that is switched off. A text would be escaped, an Html field's value is not.
    if quiet and some:
        some._message_log_batch({
            move.id: messages.new({'body': task['notes'].get(move.x_fc_source_ref, MODULE)}).body
            for move in some})
"""

READING = """
if 'models' in task:
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
    actions = env['ir.actions.server'].sudo().browse(task['actions']).exists()
    answer['code'] = actions.mapped('code')

answer['read'] = []
for model, method, given, options in task.get('reads', []):
    asked = env[model].with_context(**options.pop('context', {}))
    if method == 'search_read':
        told = asked.search_read(*given, **options)
    elif method == 'formatted_read_group':
        told = asked.formatted_read_group(*given, **options)
    elif method == 'fields_get':
        told = asked.fields_get(*given, **options)
    elif method == 'has_access':
        told = asked.browse(given[0]).has_access(given[1])
    else:
        raise UserError('not a read: %s' % method)
    answer['read'].append(told)
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
        lacking = []
        for tax in {**wanted, **taxed}:
            have = sum(round(line.amount_currency * scale) for line in taxed.get(tax, []))
            residue = wanted.get(tax, 0) - have
            if abs(residue) > allowed.get(tax, 0):
                wrong.append([tax, have, wanted.get(tax, 0)])
            elif residue and tax in taxed:
                mend.append((taxed[tax][0], residue))
            elif residue:
                lacking.append((env['account.tax'].browse(tax), residue))
        net = round(move.amount_untaxed * scale)
        if wrong or net != row['net']:
            answer['refused'].append({'name': row['name'], 'net': net, 'taxes': wrong})
            move.unlink()
            continue
        for line, residue in mend:
            amount = (round(line.amount_currency * scale) + residue) / scale
            line.write({'amount_currency': amount})
        for tax, residue in lacking:
            # Odoo makes no line of a tax that comes to nothing on the whole.
            values = {'display_type': 'tax', 'name': tax.name, 'amount_currency': residue / scale}
            for line in move.invoice_line_ids:
                if tax in line.tax_ids.flatten_taxes_hierarchy():
                    values['partner_id'] = line.partner_id.id
                    values['currency_id'] = line.currency_id.id
                    values['account_id'] = line.account_id.id
                    groups = line.tax_ids.filtered(lambda one: one.amount_type == 'group')
                    values['group_tax_id'] = groups[:1].id
            own = {'out_invoice': tax.invoice_repartition_line_ids,
                   'out_refund': tax.refund_repartition_line_ids}[move.move_type]
            part = own.filtered(lambda one: one.repartition_type == 'tax')[:1]
            values['tax_repartition_line_id'] = part.id
            values['tax_tag_ids'] = [(6, 0, part.tag_ids.ids)]
            values['account_id'] = part.account_id.id or values['account_id']
            move.write({'line_ids': [(0, 0, values)]})
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

NAMING = """
if named:
    for row in names.search([('module', '=', MODULE), ('name', 'in', [each[0] for each in named])]):
        if env[row.model].sudo().browse(row.res_id).exists():
            raise UserError('already written by another: %s' % row.name)
        # Left behind by a deletion beside the ORM.
        row.unlink()
    names.create([{'module': MODULE, 'name': name, 'model': model, 'res_id': res_id,
                   'noupdate': True} for name, model, res_id in named])
"""

TELLING = """
action = answer
"""

READING_CODE = HEAD + LEASE + READING + TELLING
WRITING_CODE = HEAD + NOTING + LEASE + WRITING + MATCHING + SETTLING + CASH + NAMING + TELLING
