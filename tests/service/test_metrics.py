"""The catalogue holds what was declared, and no label can hold a person."""

import pytest

from services.chassis.metrics import HTTP, LOOPS, Catalogue, Metric

POSTS = Metric("posts_total", "counter", "Posts.", ("outcome",))
OPEN = Metric("open_things", "gauge", "Open ones.", ("tier",))
TIMES = Metric("taken_seconds", "histogram", "Time taken.", buckets=(0.1, 1.0))
PLAIN = Metric("plain_total", "counter", "Without labels.")


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue((POSTS, OPEN, TIMES, PLAIN))


def test_values_arrive_in_the_text_format(catalogue: Catalogue) -> None:
    catalogue.count(POSTS, outcome="recorded")
    catalogue.count(POSTS, 2, outcome="recorded")
    catalogue.count(PLAIN)
    catalogue.set(OPEN, 4, tier="prompt")
    catalogue.read_from(OPEN, lambda: 7.0, tier="review")
    catalogue.observe(TIMES, 0.5)
    text = catalogue.render().decode()

    assert 'posts_total{outcome="recorded"} 3.0' in text
    assert "plain_total 1.0" in text
    assert 'open_things{tier="prompt"} 4.0' in text
    assert 'open_things{tier="review"} 7.0' in text
    assert 'taken_seconds_bucket{le="0.1"} 0.0' in text
    assert 'taken_seconds_bucket{le="1.0"} 1.0' in text
    assert catalogue.value(POSTS, outcome="recorded") == 3
    assert catalogue.value(POSTS, outcome="held") == 0


@pytest.mark.parametrize("label", ["client", "clinician", "episode", "person", "sender", "path"])
def test_no_label_holds_a_person_or_a_path(label: str) -> None:
    with pytest.raises(ValueError, match=label):
        Catalogue([Metric("x_total", "counter", "X.", (label,))])


@pytest.mark.parametrize(
    "metrics",
    [
        (POSTS, POSTS),
        (Metric("posts", "counter", "No _total."),),
        (Metric("posts_total", "gauge", "No counter."),),
        (Metric("no-name_total", "counter", "No name."),),
    ],
)
def test_a_bad_declaration_stops_the_start(metrics: tuple[Metric, ...]) -> None:
    with pytest.raises(ValueError):
        Catalogue(metrics)


def test_a_metric_is_used_as_it_was_declared(catalogue: Catalogue) -> None:
    with pytest.raises(TypeError):
        catalogue.count(OPEN, tier="prompt")
    with pytest.raises(TypeError):
        catalogue.observe(POSTS, 1, outcome="x")
    with pytest.raises(TypeError):
        catalogue.set(TIMES, 1)
    with pytest.raises(KeyError):
        catalogue.count(Metric("other_total", "counter", "Not declared."))


def test_two_services_share_no_metric() -> None:
    first, second = Catalogue((PLAIN,)), Catalogue((PLAIN,))
    first.count(PLAIN)

    assert second.value(PLAIN) == 0


def test_the_table_lists_every_metric() -> None:
    table = Catalogue((*HTTP, *LOOPS)).table()

    for metric in (*HTTP, *LOOPS):
        assert f"| `{metric.name}` | {metric.kind} |" in table
        assert metric.meaning in table
