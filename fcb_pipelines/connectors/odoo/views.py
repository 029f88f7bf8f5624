"""What a bookkeeper sees of us in Odoo: a page on the form of a move, columns in the list, filters in its search.

Each is an extension of Odoo's own view, with an external id, so `odoo.views: false` and `fcb ledger setup` remove
it again. They are decoration: where Odoo refuses one (another app has changed the view), everything else works.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fcb_pipelines.connectors.odoo.connection import OdooConnection
from fcb_pipelines.connectors.odoo.fields import (
    CONTENT_HASH,
    DOCUMENT_REF,
    REVERSES_REF,
    SETUP,
    SOURCE_REF,
)
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.core.ledger.description import MissingPart
from fcb_pipelines.core.refs import view_ref

VIEW = "ir.ui.view"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One extension of one of Odoo's views, which `inherits` names by its external id."""

    key: str
    name: str
    inherits: tuple[str, str]
    arch: str

    @property
    def ref(self) -> str:
        """Our external id of it."""
        return view_ref(self.key)


VIEWS = (
    View(
        key="move_form_1",
        name="fcb_pipelines: source of a move",
        inherits=("account", "view_move_form"),
        arch=f"""
<xpath expr="//notebook" position="inside">
    <page string="Billed by fcb" name="fcb_pipelines" invisible="not {SOURCE_REF}">
        <group>
            <group string="Source">
                <field name="{SOURCE_REF}" readonly="1"/>
                <field name="{DOCUMENT_REF}" readonly="1" invisible="not {DOCUMENT_REF}"/>
                <field name="{REVERSES_REF}" readonly="1" invisible="not {REVERSES_REF}"/>
                <field name="x_fc_stripe_invoice_id" readonly="1" invisible="not x_fc_stripe_invoice_id"/>
                <field name="x_fc_nexacloud_invoice_id" readonly="1" invisible="not x_fc_nexacloud_invoice_id"/>
            </group>
            <group string="Proof">
                <field name="{CONTENT_HASH}" readonly="1"/>
                <field name="x_fc_source_hash" readonly="1" invisible="not x_fc_source_hash"/>
            </group>
        </group>
    </page>
</xpath>
""",
    ),
    View(
        key="move_list_1",
        name="fcb_pipelines: number and source in the list of moves",
        inherits=("account", "view_invoice_tree"),
        arch=f"""
<data>
<xpath expr="//field[@name='payment_reference']" position="attributes">
    <attribute name="optional">show</attribute>
    <attribute name="column_invisible">False</attribute>
</xpath>
<xpath expr="//field[@name='name']" position="after">
    <xpath expr="//field[@name='payment_reference']" position="move"/>
    <field name="{SOURCE_REF}" optional="hide"/>
</xpath>
</data>
""",
    ),
    View(
        key="move_search_1",
        name="fcb_pipelines: what we billed, in the search",
        inherits=("account", "view_account_invoice_filter"),
        arch=f"""
<xpath expr="//search" position="inside">
    <field name="payment_reference"/>
    <field name="{SOURCE_REF}"/>
    <separator/>
    <filter name="fcb_billed" string="Billed by fcb" domain="[('{SOURCE_REF}', '!=', False)]"/>
    <filter name="fcb_other" string="Not billed by fcb" domain="[('{SOURCE_REF}', '=', False)]"/>
</xpath>
""",
    ),
)


def missing_views(settings: Settings, refs: Mapping[str, int]) -> Iterable[MissingPart]:
    """The views that setup would make or remove; nothing needs them."""
    for view in VIEWS:
        if (view.ref in refs) is not settings.odoo.views:
            what = "view" if settings.odoo.views else "view to be removed"
            yield MissingPart(what=what, name=view.name, remedy=SETUP, taxes=())


def make_view(odoo: OdooConnection, view: View) -> int:
    """Create the view, or find one that lost its external id; its id. Raises where Odoo refuses it."""
    extended = odoo.call("ir.model.data", "check_object_reference", *view.inherits)
    same = [("name", "=", view.name), ("inherit_id", "=", extended[1])]
    if known := odoo.rows(VIEW, same, ["id"]):
        return int(known[0]["id"])
    values = {
        "name": view.name,
        "model": "account.move",
        "inherit_id": extended[1],
        "arch": view.arch,
        "mode": "extension",
        # After what apps change there.
        "priority": 90,
    }
    (made,) = odoo.call(VIEW, "create", [values])
    return int(made)
