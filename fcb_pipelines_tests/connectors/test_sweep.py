"""A list is read to its end, once more where that seems not to be it, and says so where it is not."""

from collections.abc import Iterator, Sequence

from fcb_pipelines.connectors.sweep import Page, swept
from fcb_pipelines.core.facts.bodies import Json


class Lists:
    """Answers one list of pages after another, as often as it is asked for one."""

    def __init__(self, *lists: Sequence[Page]) -> None:
        self._left = list(lists)
        self.read = 0

    def __call__(self) -> Iterator[Page]:
        for page in self._left.pop(0):
            self.read += 1
            yield page


def page(*ids: str, problem: str | None = None) -> Page:
    return Page(items=[{"id": each} for each in ids], problem=problem)


def ids(items: Sequence[Json]) -> list[str]:
    return [each["id"] for each in items]


def test_every_object_comes_once_and_progress_hears_how_many_so_far() -> None:
    heard: list[int] = []
    found = swept(Lists([page("a", "b"), page("b", "c")]), "id", heard.append)
    assert (ids(found.items), found.pages, found.problem) == (["a", "b", "c"], 2, None)
    assert heard == [2, 3]


def test_a_list_with_a_problem_is_read_once_more_and_whole_then() -> None:
    found = swept(Lists([page("a", problem="lost")], [page("a"), page("b")]), "id")
    assert (ids(found.items), found.pages, found.problem) == (["a", "b"], 3, None)


def test_a_list_that_has_a_problem_twice_carries_the_second() -> None:
    lists = Lists([page("a", problem="first")], [page("a"), page("b", problem="second")])
    found = swept(lists, "id")
    assert (ids(found.items), found.pages, found.problem) == (["a", "b"], 3, "second")


def test_nothing_is_read_beyond_a_page_with_a_problem() -> None:
    wrong = [page("a", problem="lost"), page("b")]
    lists = Lists(wrong, wrong)
    assert (swept(lists, "id").problem, lists.read) == ("lost", 2)
