"""The digest of the code covers every module whose rules a process runs."""

from pathlib import Path

import pytest

from fcb_pipelines.config.settings import PACKAGED, load
from fcb_pipelines.core.company.sources import FurtherSource
from fcb_pipelines.defs.runtime import code


@pytest.mark.parametrize("module", ["billing_of_ours.py", "billing_of_ours/rules.py"])
def test_a_changed_module_of_a_further_source_is_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / module
    file.parent.mkdir(exist_ok=True)
    entry = module.removesuffix(".py").replace("/", ".") + ":ENTRY"
    further = FurtherSource(entry=entry, settings={})
    company = load(PACKAGED).model_copy(update={"sources": (further,)})
    monkeypatch.setattr(code, "current", lambda: company)
    found = set()
    for text in ("A = 1", "A = 2"):
        file.write_text(text)
        code._digest.cache_clear()
        found.add(code.code_digest())
    monkeypatch.undo()
    found.add(code.code_digest())
    assert len(found) == 3
