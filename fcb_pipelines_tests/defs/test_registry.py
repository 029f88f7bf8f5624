"""The source registry: what the configuration may name, and what it says of what it may not."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from fcb_pipelines.config import environment
from fcb_pipelines.config.environment import EnvironmentProblem
from fcb_pipelines.config.settings import PACKAGED, ConfigError
from fcb_pipelines.core.close.gates import GATES, gates_of
from fcb_pipelines.core.company.settings import Settings
from fcb_pipelines.defs.sources import registry
from fcb_pipelines.defs.sources.registry import registered
from fcb_pipelines_tests.cash_entries import CASH_SETTINGS
from fcb_pipelines_tests.third_source import entry as third
from fcb_pipelines_tests.third_source.entry import ACME

NAMED = "fcb_pipelines_tests.third_source.entry:ACME"
SECTION = {"organization": "nexacloud"}


def company(*sources: dict[str, Any]) -> Settings:
    told = yaml.safe_load(PACKAGED.read_text("utf-8"))
    return Settings.model_validate({**told, "sources": list(sources)})


def acme(**changes: Any) -> dict[str, Any]:
    return {"entry": NAMED, "settings": SECTION} | changes


def test_a_configuration_that_names_no_source_has_the_packaged_ones() -> None:
    found = registered(Settings.model_validate(yaml.safe_load(PACKAGED.read_text("utf-8"))))
    assert [(one.name, one.service) for one in found] == [
        ("stripe", "stripe:acct_nexacloud"),
        ("lago", "lago:nexacloud"),
    ]


def test_a_further_source_comes_after_them_with_its_own_settings() -> None:
    found = registered(company(acme(settings={**SECTION, "scope_metadata_key": "mine"})))
    assert [one.name for one in found] == ["stripe", "lago", "acme"]
    assert found[-1].service == "acme:nexacloud"
    assert found[-1].section.scope_metadata_key == "mine"


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([acme(entry="no.such.module:ACME")], r"sources\[0\].entry: no.such.module:ACME can't be"),
        ([acme(entry=f"{NAMED}E")], r"sources\[0\].entry: .*:ACMEE can't be imported: .* no attribute"),
        ([acme(entry="os.path:join")], r"sources\[0\].entry: os.path:join is a function, not a Source"),
        ([acme(), acme()], r"sources\[1\].entry: .* is called 'acme': that name is taken"),
        ([acme(settings={})], r"sources\[0\].settings: .*\norganization\n"),
        ([acme(settings={**SECTION, "colour": 1})], r"sources\[0\].settings: .*\ncolour\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_the_field_that_names_it(
    sources: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        registered(company(*sources))


@pytest.mark.parametrize(
    "named", ["acme", "acme:", ":ACME", "../acme:ACME", "acme:ACME()", "a b:C"]
)
def test_an_entry_is_the_name_of_a_module_and_of_one_thing_in_it(named: str) -> None:
    with pytest.raises(ValueError, match="entry"):
        company(acme(entry=named))


@pytest.mark.parametrize("name", ["stripe", "ledger", "nexacloud", "store", "Acme", "ac:me", ""])
def test_a_name_that_means_something_else_or_fits_no_key_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(third, "ACME", replace(ACME, rules=replace(ACME.rules, name=name)))
    with pytest.raises(ConfigError, match=f"is called '{name}'"):
        registered(company(acme()))


def test_the_variables_of_a_source_bear_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(third, "ACME", replace(ACME, optional=("FCB_HOME",)))
    with pytest.raises(ConfigError, match="its variables begin with FCB_ACME_, not FCB_HOME"):
        registered(company(acme()))


def test_a_variable_that_is_not_set_is_named_with_what_it_is_for() -> None:
    found = registered(company(acme()))
    nothing = environment.read({})
    for one, said in zip(
        found,
        (
            r"FCB_STRIPE_API_KEY is not set \(Stripe key, restricted and read-only\)",
            "FCB_LAGO_API_URL, FCB_LAGO_API_KEY are not set",
            r"FCB_ACME_FILE is not set \(Acme's file of invoices\)",
        ),
        strict=True,
    ):
        with pytest.raises(EnvironmentProblem, match=said):
            one.open(nothing)


def test_a_source_is_opened_with_its_own_variables_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []
    spy = replace(ACME, open=lambda *given: seen.append(given), optional=("FCB_ACME_PAGE",))
    monkeypatch.setattr(third, "ACME", spy)
    *_, one = registered(company(acme()))
    one.open(environment.read({"FCB_ACME_FILE": "a.csv", "FCB_LAGO_API_KEY": "secret"}))
    assert seen == [({"FCB_ACME_FILE": "a.csv"}, one.section)]


def test_every_source_has_a_gate_of_its_list_in_the_same_words() -> None:
    gates = {gate.name: gate for gate in gates_of(("stripe", "lago", "acme"))}
    made, listed = gates["acme_listing_complete"], gates["lago_listing_complete"]
    assert made.proves == listed.proves.replace("Lago", "Acme")
    assert (made.blocking, made.recovery) == (listed.blocking, listed.recovery)
    assert gates.keys() - GATES.keys() == {"acme_listing_complete"}


@pytest.mark.parametrize(
    ("cash", "keep", "booked"),
    [
        (None, ("stripe", "other"), ()),
        (CASH_SETTINGS.cash, ("stripe",), ("stripe",)),
        (CASH_SETTINGS.cash, ("stripe", "other"), None),
    ],
)
def test_the_balance_of_one_source_is_booked_and_several_are_refused(
    monkeypatch: pytest.MonkeyPatch, cash: object, keep: tuple[str, ...], booked: object
) -> None:
    company = CASH_SETTINGS.model_copy(update={"cash": cash})
    monkeypatch.setattr(registry, "current", lambda: company)
    monkeypatch.setattr(registry, "keeping", lambda: keep)
    if booked is None:
        with pytest.raises(ConfigError, match="stripe, other each keep a balance"):
            registry.balances()
    else:
        assert registry.balances() == booked
