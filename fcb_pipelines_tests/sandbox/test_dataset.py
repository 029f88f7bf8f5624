"""A dataset is opened whole, or refused with the file and field that is wrong."""

from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from fcb_pipelines.config import settings
from fcb_pipelines.config.settings import ConfigError
from fcb_pipelines.sandbox.dataset import Dataset, DatasetProblem
from fcb_pipelines.sandbox.told import SECRET

SOUND: dict[str, Any] = {
    "name": "small",
    "timezone": "America/Vancouver",
    "currency": "USD",
    "first_period": "2026-04",
    "as_of": date(2026, 5, 20),
    "stripe": {"account": "acct_small"},
    "lago": {"organization": "small-org"},
}


def described(folder: Path, **changes: Any) -> Path:
    """A dataset folder whose dataset.yaml is SOUND with these changes; None takes a field out."""
    told = {name: value for name, value in {**SOUND, **changes}.items() if value is not None}
    folder.mkdir(exist_ok=True)
    (folder / "dataset.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return folder


def test_what_the_file_says_is_what_it_is(tmp_path: Path) -> None:
    dataset = Dataset.open(described(tmp_path))
    assert (dataset.name, dataset.timezone, dataset.currency) == (
        "small",
        "America/Vancouver",
        "USD",
    )
    assert (dataset.first_period, dataset.as_of) == ("2026-04", date(2026, 5, 20))
    assert (dataset.stripe_account, dataset.lago_organization) == ("acct_small", "small-org")
    assert (dataset.expected, dataset.locked_until) == (None, None)
    assert dataset.path == tmp_path
    with pytest.raises(FrozenInstanceError):
        dataset.name = "other"  # type: ignore[misc]


def test_its_settings_are_the_packaged_ones_with_its_own_facts(tmp_path: Path) -> None:
    company = Dataset.open(described(tmp_path)).settings()
    packaged = settings.load(settings.PACKAGED)
    assert (company.timezone, company.currency) == ("America/Vancouver", "USD")
    assert (company.first_period, company.as_of) == ("2026-04", date(2026, 5, 20))
    assert (company.stripe.account, company.lago.organization) == ("acct_small", "small-org")
    assert company.stripe.requests_per_second == packaged.stripe.requests_per_second
    assert company.families == packaged.families
    assert company.posting == "draft"


def test_overrides_merge_mappings_and_replace_everything_else(tmp_path: Path) -> None:
    overrides = {
        "posting": "auto",
        "policies": {"tax_residue": 3},
        "families": [{"key": "all", "account": {"code": "400000", "name": "All"}}],
        "journals": {"stripe": {"name": "Cards"}},
    }
    company = Dataset.open(described(tmp_path, config=overrides)).settings()
    packaged = settings.load(settings.PACKAGED)
    assert company.posting == "auto"
    assert company.policies.tax_residue == 3
    assert company.policies.fully_discounted == packaged.policies.fully_discounted
    assert [family.key for family in company.families] == ["all"]
    assert company.journals.stripe.name == "Cards"
    assert company.journals.stripe.code == packaged.journals.stripe.code


def test_the_facts_of_the_dataset_stand_above_its_overrides(tmp_path: Path) -> None:
    overrides = {"currency": "EUR", "stripe": {"account": "acct_other", "requests_per_second": 5}}
    company = Dataset.open(described(tmp_path, config=overrides)).settings()
    assert company.currency == "USD"
    assert company.stripe.account == "acct_small"
    assert company.stripe.requests_per_second == 5


def test_its_configuration_as_a_file_gives_the_same_settings(tmp_path: Path) -> None:
    dataset = Dataset.open(described(tmp_path))
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(dataset.config(), allow_unicode=True), encoding="utf-8")
    assert settings.load(file) == dataset.settings()


def test_one_dataset_never_changes_the_configuration_of_another(tmp_path: Path) -> None:
    dataset = Dataset.open(described(tmp_path))
    dataset.config()["families"].clear()
    assert dataset.settings().families


def test_what_must_come_out_is_read_with_it(tmp_path: Path) -> None:
    (described(tmp_path) / "expected.json").write_text('{"totals": {"CAD": {"posted_count": 1}}}')
    assert Dataset.open(tmp_path).expected == {"totals": {"CAD": {"posted_count": 1}}}


def test_its_books_may_be_locked_up_to_a_day(tmp_path: Path) -> None:
    folder = described(tmp_path, books={"locked_until": date(2026, 4, 10)})
    assert Dataset.open(folder).locked_until == date(2026, 4, 10)


TOLD = {"nexacloud": {"start": date(2026, 4, 1), "grace_days": 3}}


def test_its_services_are_told_where_the_sandbox_has_its_receiver_and_nowhere_without(
    tmp_path: Path,
) -> None:
    dataset = Dataset.open(described(tmp_path, events=TOLD))
    assert dataset.settings().told == {}
    told = dataset.settings("http://127.0.0.1:4711").told["nexacloud"]
    assert (told.url, told.secrets) == ("http://127.0.0.1:4711/nexacloud", (SECRET,))
    assert (told.start, told.grace_days) == (date(2026, 4, 1), 3)
    assert Dataset.open(described(tmp_path)).settings("http://127.0.0.1:4711").told == {}


@pytest.mark.parametrize("field", SOUND)
def test_a_field_that_lacks_is_named(field: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetProblem, match=rf"dataset\.yaml lacks {field}$"):
        Dataset.open(described(tmp_path, **{field: None}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../up"}, "name '../up'"),
        ({"timezone": "Mars/Olympus"}, "timezone 'Mars/Olympus'"),
        ({"first_period": "2026-13"}, "first_period"),
        ({"first_period": "2026-06"}, "as_of lies before first_period"),
        ({"as_of": "the last day of May"}, "as_of is a date"),
        ({"as_of": "2026-05-20 10:00"}, "as_of is a date"),
        ({"stripe": {}}, r"lacks stripe\.account"),
        ({"stripe": "acct_1"}, r"lacks stripe\.account"),
        ({"lago": {"organisation": "x"}}, r"lacks lago\.organization"),
        ({"colour": "blue"}, "unknown fields: colour"),
        ({"books": {}}, r"lacks books\.locked_until"),
        ({"books": {"locked_until": "March"}}, r"books\.locked_until is a date"),
        ({"config": ["posting"]}, "config holds no mapping"),
        ({"config": {"posting": "sometimes"}}, "posting"),
        ({"config": {"colour": "blue"}}, "colour"),
        ({"events": ["nexacloud"]}, "events holds no settings by service"),
        ({"events": {"nexacloud": "2026-04-01"}}, "events holds no settings by service"),
        (
            {"events": {"nexamaps": TOLD["nexacloud"]}},
            "events names no service of config: nexamaps",
        ),
        ({"events": {"nexacloud": {}}}, "start"),
        ({"events": {"nexacloud": {"start": "May"}}}, "start"),
        (
            {"events": {"nexacloud": {**TOLD["nexacloud"], "url": "https://x.example"}}},
            "has url, which the sandbox",
        ),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_file(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetProblem, match=rf"dataset\.yaml[\s\S]*{said}"):
        Dataset.open(described(tmp_path, **changes))


def test_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    file = described(tmp_path) / "dataset.yaml"
    file.write_text(file.read_text().replace("2026-05-20", "2026-05-20 00:00:00"))
    with pytest.raises(DatasetProblem, match="as_of is a date"):
        Dataset.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [("name: [", "dataset.yaml"), ("just words", "no mapping"), ("", "no mapping")],
)
def test_a_file_that_is_no_description_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(DatasetProblem, match=said):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_an_expectation_that_can_not_be_read_is_told(text: str, tmp_path: Path) -> None:
    (described(tmp_path) / "expected.json").write_text(text)
    with pytest.raises(DatasetProblem, match=r"expected\.json"):
        Dataset.open(tmp_path)


def test_a_folder_without_a_description_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no dataset"):
        Dataset.open(tmp_path)
