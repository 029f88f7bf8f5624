"""The server action: a few batch operations that run inside Odoo, each in one transaction.

Over remote calls a record and its external id are two transactions, a reconciliation is a call a
pair, and a date that Odoo moves is seen too late. The action does each whole or not at all. It
runs with the calling user's rights; only the table of external ids, which users can't read, is
reached beyond them, and there only names of this module.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from fcb_pipelines.connectors.failures import ContractBreach
from fcb_pipelines.connectors.odoo_connection import OdooConnection

MODULE = "fcb_pipelines"
NAME = "fcb_pipelines: batches"

CODE = """\
# Written by `fcb ledger setup`; a change made here is undone by it.
task = env.context.get('fcb')
if not task:
    raise UserError('This action works for fcb_pipelines only.')
env = env(context={k: v for k, v in env.context.items() if k != 'fcb'})
names = env['ir.model.data'].sudo()
MODULE = 'fcb_pipelines'
verb = task['verb']
answer = {'done': True}

if verb == 'find':
    domain = [('module', '=', MODULE), ('model', 'in', task['models'])]
    if task.get('names') is not None:
        domain.append(('name', 'in', task['names']))
    if task.get('ids') is not None:
        domain.append(('res_id', 'in', task['ids']))
    found = names.search_read(domain, ['name', 'model', 'res_id'], order='id')
    answer['found'] = [[row['name'], row['model'], row['res_id']] for row in found]

if verb == 'identity':
    answer['uuid'] = env['ir.config_parameter'].sudo().get_param('database.uuid')

named = []

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
    old = env['account.move'].browse(task['replace']).exists()
    if any(move.state != 'draft' for move in old):
        raise UserError('A draft that was to be rebuilt is posted by now.')
    old.unlink()
    moves = env['account.move'].create([row['values'] for row in task['rows']])
    answer['refused'] = []
    for move, row in zip(moves, task['rows']):
        scale = 10 ** row['decimals']
        lines = {}
        for line in move.line_ids.filtered('tax_line_id'):
            lines.setdefault(line.tax_line_id.id, []).append(line)
        wanted = dict(row['taxes'])
        wrong = []
        mend = []
        for tax in {**wanted, **lines}:
            have = sum(round(line.amount_currency * scale) for line in lines.get(tax, []))
            residue = wanted.get(tax, 0) - have
            if residue and (abs(residue) > row['residue'] or tax not in lines):
                wrong.append([tax, have, wanted.get(tax, 0)])
            elif residue:
                mend.append((lines[tax][0], residue))
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
    moves = env['account.move'].browse([row[0] for row in task['rows']])
    moves.filtered(lambda move: move.state == 'draft').action_post()
    for move, row in zip(moves, task['rows']):
        if move.state != 'posted' or str(move.date) != row[1]:
            raise UserError('%s would be %s on %s, not posted on %s: see the lock dates'
                            % (move.ref, move.state, move.date, row[1]))

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
    plan = []
    for group in task['pairs']:
        document = env['account.move'].browse(group['document'])
        if document.state != 'posted':
            raise UserError('%s is not posted' % document.ref)
        due = document.line_ids.filtered(lambda line: not line.reconciled
                                         and line.account_id.account_type == 'asset_receivable')
        settling = env['account.move'].browse(group['entries'])
        for name in group['names']:
            settling |= entries[name]
        amounts = settling.line_ids.filtered(lambda line: not line.reconciled
                                             and line.account_id in due.account_id)
        if due and amounts:
            plan.append(due | amounts)
    if plan:
        env['account.move.line']._reconcile_plan(plan)

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

VERSION = hashlib.sha256(CODE.encode()).hexdigest()[:12]


def xml_name(ref: str) -> str:
    """A ref as the name of an external id: Odoo allows no space in it."""
    return quote(ref, safe=":@+,;=$!()*/")


def ref_of(name: str) -> str:
    """The ref that an external id's name stands for."""
    return unquote(name)


class Batches:
    """The server action of one database, called. `action` is its id."""

    def __init__(self, connection: OdooConnection, action: int) -> None:
        self._connection = connection
        self._action = action

    def run(self, verb: str, **task: Any) -> Mapping[str, Any]:
        """One operation, in one transaction."""
        answer = self._connection.call(
            "ir.actions.server", "run", [self._action], context={"fcb": {"verb": verb, **task}}
        )
        if not isinstance(answer, dict):
            raise ContractBreach(
                f"{verb} by the server action {NAME}", f"it answered {answer!r}",
                remedy="fcb ledger setup",
            )  # fmt: skip
        return answer

    def find(
        self,
        *models: str,
        refs: Sequence[str] | None = None,
        ids: Sequence[int] | None = None,
    ) -> list[tuple[str, str, int]]:
        """(ref, model, record id) of our records: with these refs, with these ids, or all."""
        if refs is not None and not refs:
            return []
        wanted = None if refs is None else [xml_name(ref) for ref in refs]
        given = None if ids is None else list(ids)
        found = self.run("find", models=list(models), names=wanted, ids=given)["found"]
        return [(ref_of(name), model, int(res_id)) for name, model, res_id in found]
