"""The locked periods of a dataset's books, set before anything is posted, as an accountant does."""

from datetime import date

from fcb_pipelines.config.environment import Environment
from fcb_pipelines.connectors.odoo.connection import OdooConnection

KIND = "all"


def lock_books(found: Environment, until: date) -> None:
    """Lock the sandbox's own books up to and including a day. Idempotent."""
    if found.ledger == "odoo":
        _lock_odoo(found, until)
    else:
        _lock_beancount(found, until)


def _lock_beancount(found: Environment, until: date) -> None:
    main = found.data_home / "books" / "main.beancount"
    directive = f'{until.isoformat()} custom "lock_date" "{KIND}"'
    content = main.read_text("utf-8")
    if directive not in content.splitlines():
        main.write_text(f"{content}\n{directive}\n", "utf-8")


def _lock_odoo(found: Environment, until: date) -> None:
    access = found.odoo()
    odoo = OdooConnection(
        access.url, access.database, access.user, access.password, company=access.company
    )
    name, wanted = "fiscalyear_lock_date", until.isoformat()
    (row,) = odoo.rows("res.company", [("id", "=", odoo.company)], [name])
    if row[name] != wanted:
        odoo.call("res.company", "write", [odoo.company], {name: wanted})
