"""Which ledger partner an account takes: by its links, and by email only where that is no mistake."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcb_pipelines.core.documents.partners import (
    LedgerPartner,
    PartnerPlan,
    company_key,
    each_once,
    place,
    rivals,
)
from fcb_pipelines.core.ledger.entries import Partner
from fcb_pipelines.core.ledger.partners import LinkedPartner, SharedEmail
from fcb_pipelines.core.proof.gate import Outcome
from fcb_pipelines.core.proof.partners import shared_email
from fcb_pipelines.core.refs import account_name
from fcb_pipelines_tests.documents import a_partner

EMAIL = "books@keeper.example"
ALPHA, BETA = "nexacloud:alpha", "nexacloud:beta"
STRIPE, LAGO = "stripe:acct_1:cus_1", "lago:nexa:c-1"


def account(key: str = ALPHA, *links: str, **changes: object) -> Partner:
    """An account that bears the shared email, of a company where one is named."""
    company = changes.get("company")
    fields = {"name": company or key, "email": EMAIL, "links": (key, *links), **changes}
    return a_partner(key, **fields)


def stands(partner_id: str, *links: str, **changes: object) -> LedgerPartner:
    """A ledger partner that bears the shared email."""
    partner = LedgerPartner(partner_id=partner_id, links=links, name="By hand", email=EMAIL)
    return replace(partner, **changes)  # type: ignore[arg-type]


def homes(plan: PartnerPlan) -> dict[str, str]:
    """Account -> the ledger partner it takes, or the first account of a new one."""
    return {
        each.key: at.partner_id or f"new for {at.accounts[0].key}"
        for at in plan.places
        for each in at.accounts
    }


def outcome(plan: PartnerPlan) -> dict[str, tuple[str, ...]]:
    """Account -> who else bears its email, where that joined nothing."""
    return {
        key: email.bearers for key, emails in plan.shared.items() for email in emails
    }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scene: the wanted accounts, the ledger partners, the others; where ALPHA goes and whether it warns."""

    wanted: Sequence[Partner] = (account(company="Acme"),)
    ledger_state: Sequence[LedgerPartner] = (stands("7"),)
    others: Sequence[Partner] = ()
    home: str
    warns: bool = False


OWN = f"new for {ALPHA}"
SCENES = {
    "one account and a partner that a person made": Row(home="7"),
    "in another case": Row(wanted=[account(email="Books@Keeper.Example")], home="7"),
    "no email": Row(wanted=[account(email=None)], home=OWN),
    "another email": Row(wanted=[account(email="other@x.example")], home=OWN),
    "the partner is the same company": Row(ledger_state=[stands("7", company="ACME.")], home="7"),
    "the partner is another company": Row(
        ledger_state=[stands("7", company="Other")], home=OWN, warns=True
    ),
    "the account is a person": Row(
        wanted=[account()], ledger_state=[stands("7", company="Other")], home="7"
    ),
    "two partners bear it": Row(ledger_state=[stands("7"), stands("8")], home=OWN, warns=True),
    "the second one is a contact of the first": Row(
        ledger_state=[stands("7", company="Acme"), stands("8", company="Acme", within="7")],
        home=OWN,
        warns=True,
    ),
    "the partner is archived": Row(ledger_state=[stands("7", archived=True)], home=OWN, warns=True),
    "the partner is another account of the service": Row(
        ledger_state=[stands("7", BETA)], home=OWN, warns=True
    ),
    "the partner is an account of another service": Row(
        ledger_state=[stands("7", LAGO, name="Acme")], home="7"
    ),
    "which is a company that nobody knows any more": Row(
        ledger_state=[stands("7", LAGO, name="Other")], home=OWN, warns=True
    ),
    "another user of NexaCloud bears it": Row(
        others=[account(BETA)], home=OWN, warns=True
    ),
    "another user bears it, and nothing stands": Row(
        ledger_state=[], others=[account(BETA)], home=OWN, warns=True
    ),
    "a link leads to its partner": Row(
        ledger_state=[stands("7"), stands("9", ALPHA, email=None)], home="9", warns=True
    ),
    "its partner has contacts with that email": Row(
        ledger_state=[stands("7", within="9"), stands("9", ALPHA)], home="9"
    ),
    "a link of the source leads to a partner": Row(
        wanted=[account(ALPHA, STRIPE, email=None)], ledger_state=[stands("9", STRIPE)], home="9"
    ),
    "that partner is another account of the service": Row(
        wanted=[account(ALPHA, STRIPE, email=None)],
        ledger_state=[stands("9", STRIPE, BETA)],
        home=OWN,
    ),
    "another user names that customer as his own": Row(
        wanted=[account(ALPHA, STRIPE, email=None)],
        ledger_state=[stands("9", STRIPE)],
        others=[account(BETA, stripe_customer_id="cus_1")],
        home=OWN,
    ),
    "another user is that customer by its own id": Row(
        wanted=[account(ALPHA, "lago:nexa:beta", email=None)],
        ledger_state=[stands("9", "lago:nexa:beta")],
        others=[account(BETA)],
        home=OWN,
    ),
    "two accounts of one service": Row(
        wanted=[account(ALPHA), account(BETA)], ledger_state=[], home=OWN, warns=True
    ),
    "one company in both": Row(
        wanted=[account(ALPHA, company="Acme"), account(BETA, company="Acme")],
        ledger_state=[],
        home=OWN,
        warns=True,
    ),
    "an account of another service": Row(
        wanted=[account(ALPHA, company="Acme"), account(LAGO, company="Acme")],
        ledger_state=[],
        home=f"new for {LAGO}",
    ),
    "which is another company": Row(
        wanted=[account(ALPHA, company="Acme"), account(LAGO, company="Other")],
        ledger_state=[],
        home=OWN,
        warns=True,
    ),
    "two services, and a third one contradicts": Row(
        wanted=[account(ALPHA), account(LAGO, company="A"), account(STRIPE, company="B")],
        ledger_state=[],
        home=OWN,
        warns=True,
    ),
    "both have a customer at one source": Row(
        wanted=[account(ALPHA, "stripe:acct_1:cus_2"), account(STRIPE)],
        ledger_state=[],
        home=OWN,
        warns=True,
    ),
    "that customer is its own": Row(
        wanted=[account(ALPHA, STRIPE), account(STRIPE)], ledger_state=[], home=OWN
    ),
    "both were joined before": Row(
        wanted=[account(ALPHA), account(BETA)], ledger_state=[stands("7", ALPHA, BETA)], home="7"
    ),
    "both were joined before, though two companies": Row(
        wanted=[account(ALPHA, company="Alpha"), account(BETA, company="Beta")],
        ledger_state=[stands("7", ALPHA, BETA)],
        home="7",
        warns=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_a12_an_email_joins_only_where_that_is_no_mistake(scene: str) -> None:
    row = SCENES[scene]
    plan = place(row.wanted, row.ledger_state, row.others)
    assert homes(plan)[ALPHA] == row.home
    assert bool(plan.shared[ALPHA]) is row.warns
    assert {key for at in plan.places for key in (e.key for e in at.accounts)} == {
        each.key for each in row.wanted
    }


def test_a12_two_companies_of_one_bookkeeper_are_two_partners_and_both_are_named() -> None:
    both = [account(ALPHA, company="Alpha Dental"), account(BETA, company="Beta Roofing")]
    plan = place(both, [])
    assert homes(plan) == {ALPHA: f"new for {ALPHA}", BETA: f"new for {BETA}"}
    named = (f"{ALPHA} (Alpha Dental)", f"{BETA} (Beta Roofing)")
    assert outcome(plan) == {ALPHA: named, BETA: named}


def test_a12_the_warning_is_the_same_once_both_stand() -> None:
    both = [account(ALPHA, company="Alpha"), account(BETA, company="Beta")]
    before = place(both, []).shared
    ledger_state = [stands("1", ALPHA, name="Alpha"), stands("2", BETA, name="Beta")]
    assert place(both, ledger_state).shared == before
    # Whichever month comes first, the other account is known of.
    assert place(both[:1], ledger_state[:1], both[1:]).shared[ALPHA] == before[ALPHA]


def test_a12_a_ledger_partner_that_is_nobodys_account_is_named_by_its_id() -> None:
    plan = place([account(company="Acme")], [stands("7", company="Other", name="Other")])
    assert outcome(plan)[ALPHA] == ("ledger partner 7 (Other)", f"{ALPHA} (Acme)")


def test_a12_the_one_partner_of_two_companies_is_named() -> None:
    both = [account(ALPHA, company="Alpha"), account(BETA, company="Beta")]
    (email,) = place(both, [stands("7", ALPHA, BETA)]).shared[ALPHA]
    assert email.partner_id == "7"


def test_a9_a_link_that_stands_is_never_moved_or_written_twice() -> None:
    first = account(ALPHA, STRIPE, LAGO)
    plan = place([first], [stands("7", ALPHA), stands("8", STRIPE)])
    (at,) = plan.places
    assert (at.partner_id, at.links) == ("7", (LAGO,))


def test_a9_a_customer_that_two_users_share_stays_with_the_first() -> None:
    both = [account(BETA, STRIPE, email="b@x.example"), account(ALPHA, STRIPE, email="a@x.example")]
    plan = place(both, [])
    assert {at.accounts[0].key: at.links for at in plan.places} == {
        ALPHA: (ALPHA, STRIPE),
        BETA: (BETA,),
    }


def test_who_is_not_wanted_takes_no_link_from_who_is() -> None:
    plan = place([account(BETA, STRIPE)], [], [account(ALPHA, STRIPE)])
    assert plan.places[0].links == (BETA, STRIPE)


def test_a9_a_customer_is_the_users_who_names_it() -> None:
    other = account(BETA, STRIPE, stripe_customer_id="cus_1")
    plan = place([account(ALPHA, STRIPE), other], [])
    assert {at.accounts[0].key: at.links for at in plan.places} == {
        ALPHA: (ALPHA,),
        BETA: (BETA, STRIPE),
    }


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Acme Ltd.", "ACME  Ltd", True),
        ("St. John's", "St Johns", True),
        ("Gamma\n Inc", "gamma inc.", True),
        ("Érable", "érable", True),
        ("Acme Ltd.", "Acme Inc.", False),
        ("Alpha", "Beta", False),
        ("!", "?", False),
    ],
)
def test_company_names_are_compared_without_case_space_and_punctuation(
    one: str, other: str, equal: bool
) -> None:
    assert (company_key(one) == company_key(other)) is equal


def test_rivals_are_those_who_bear_the_email_or_name_the_customer() -> None:
    wanted = account(ALPHA, STRIPE, "lago:nexa:delta")
    same = account(BETA)
    named = account("nexacloud:gamma", email=None, stripe_customer_id="cus_1")
    itself = account("nexacloud:delta", email=None)
    stranger = account("nexacloud:omega", email=None, stripe_customer_id="cus_9")
    assert rivals([wanted], [wanted, same, named, itself, stranger]) == (same, named, itself)


def test_the_gate_tells_each_email_once() -> None:
    def one(partner_id: str, *shared: SharedEmail) -> LinkedPartner:
        return LinkedPartner(
            partner_id=partner_id, links=(), name="", email=None, stripe_customer_id=None,
            shared_emails=shared,
        )  # fmt: skip

    shared = SharedEmail(email=EMAIL, bearers=("a", "b"))
    joined = SharedEmail(email="z@x.example", bearers=("c", "d"), partner_id="7")
    result = shared_email([one("1", shared), one("2", shared), one("7", joined)])
    assert (result.outcome, result.count) == (Outcome.WARN, 2)
    assert result.sample == (f"{EMAIL}: a, b", "z@x.example: c, d, all on ledger partner 7")
    assert shared_email([one("1")]).outcome is Outcome.PASS
    assert each_once([one("1", shared), one("1", joined)]) == (one("1", shared, joined),)


# --- whatever comes ---------------------------------------------------------------------------

KEYS = [ALPHA, BETA, "nexacloud:gamma", STRIPE, "stripe:acct_1:cus_2", LAGO, "lago:nexa:alpha"]
EMAILS = st.sampled_from([None, "a@x.example", "b@x.example"])
COMPANIES = st.sampled_from([None, "Alpha", "Beta"])


@st.composite
def an_account(draw: st.DrawFn, key: str) -> Partner:
    """An account of any email, company and further links."""
    links = draw(st.lists(st.sampled_from(KEYS[3:]), max_size=2)) if key in KEYS[:3] else []
    customer = draw(st.sampled_from([None, "cus_1", "cus_2"])) if key in KEYS[:3] else None
    company = draw(COMPANIES)
    return account(
        key, *links, email=draw(EMAILS), company=company, stripe_customer_id=customer
    )  # fmt: skip


@st.composite
def a_scene(draw: st.DrawFn) -> tuple[list[Partner], list[LedgerPartner], list[Partner]]:
    """Accounts that are wanted, partners that stand, and accounts that are only known."""
    wanted = [draw(an_account(key)) for key in draw(st.sets(st.sampled_from(KEYS), min_size=1))]
    taken = {each.key for each in wanted}
    others = [draw(an_account(key)) for key in KEYS[:3] if key not in taken and draw(st.booleans())]
    claimant = {link: draw(st.sampled_from([None, "1", "2", "3"])) for link in KEYS}
    ledger_state = [
        stands(
            number, *(link for link, at in claimant.items() if at == number),
            email=draw(EMAILS), company=draw(COMPANIES), archived=draw(st.booleans()),
        )
        for number in ("1", "2", "3")
    ]  # fmt: skip
    return wanted, ledger_state, others


@given(a_scene(), st.randoms())
def test_a12_the_plan_does_not_depend_on_any_order(
    scene: tuple[list[Partner], list[LedgerPartner], list[Partner]], random: object
) -> None:
    plan = place(*scene)
    shuffled = [list(part) for part in scene]
    for part in shuffled:
        random.shuffle(part)  # type: ignore[attr-defined]
    assert place(*shuffled) == plan


@given(a_scene())
def test_a12_two_accounts_of_a_service_share_a_partner_only_where_they_did_before(
    scene: tuple[list[Partner], list[LedgerPartner], list[Partner]],
) -> None:
    wanted, ledger_state, others = scene
    before = {link: one.partner_id for one in ledger_state for link in one.links}
    plan = place(wanted, ledger_state, others)
    found = homes(plan)
    for key, home in found.items():
        assert home == before.get(key, home)
    for at in plan.places:
        # A user of NexaCloud may have several customers at one source: its links name them.
        named = {link for each in at.accounts for link in each.links if link != each.key}
        for one, other in itertools.combinations(at.accounts, 2):
            same = account_name(one.key).service == account_name(other.key).service
            if same and not {one.key, other.key} & named:
                assert before[one.key] == before[other.key]
        # Nothing that stands is written again.
        assert not before.keys() & set(at.links)


@given(a_scene())
def test_a12_a_plan_that_was_carried_out_is_planned_again_as_nothing(
    scene: tuple[list[Partner], list[LedgerPartner], list[Partner]],
) -> None:
    wanted, ledger_state, others = scene
    plan = place(wanted, ledger_state, others)
    after = {one.partner_id: one for one in ledger_state}
    for n, at in enumerate(plan.places, start=100):
        first = at.accounts[0]
        email = next((e.email for e in at.accounts if e.email), None)
        there = after.get(at.partner_id or "") or stands(str(n), name=first.name, email=email)
        filled = replace(there, links=(*there.links, *at.links), email=there.email or email)
        after[filled.partner_id] = filled
    again = place(wanted, after.values(), others)
    assert [at.links for at in again.places] == [()] * len(again.places)
    assert all(at.partner_id for at in again.places)
