"""The report stands alone, says what it must, and shows names as they are."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from pyrocrl.errors import PyrocrlError
from pyrocrl.report import summary_html, write_report
from pyrocrl.scm import ORDERS

VOID = {"meta", "img", "br", "wbr"}


class Reader(HTMLParser):
    """Checks that tags close in order, and collects text, tags and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        self.addresses += [values[key] or "" for key in ("src", "href") if key in values]
        self.anchors |= {values["id"] or ""} if "id" in values else set()
        if tag == "img":
            self.pictures.append(values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def read(posterior: Any, path: Path) -> Reader:
    reader = Reader()
    reader.feed(write_report(posterior, path).read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


def test_stands_alone_and_is_well_formed(posterior: Any, path: Path) -> None:
    page = read(posterior, path)
    assert "script" not in page.tags
    assert "link" not in page.tags
    outside = [a for a in page.addresses if not a.startswith(("data:image/svg+xml;base64,", "#"))]
    assert outside == []
    assert {a[1:] for a in page.addresses if a.startswith("#")} <= page.anchors
    assert all(picture["alt"] for picture in page.pictures)
    assert "url(" not in path.read_text()


def test_says_the_essentials(posterior: Any, path: Path) -> None:
    text = read(posterior, path).text
    table = posterior.edge_table()
    for name in posterior.nodes.names:
        assert name in text
    assert f"Of {len(table)} possible edges" in text
    assert "0.02 nats per subject" in text
    assert "3.9 % of the variance" in text
    assert "No hidden confounding" in text
    given = posterior.settings["order"] == ORDERS["modality"]
    assert ("The causal order of the modalities was given" in text) == given
    assert "SpikeAndSlab(probability=0.1)" in text
    assert not re.search(r"\b(nan|None|inf)\b", text)
    for warning in posterior.warnings:
        assert warning in text
    assert ("raised no warnings" in text) == (not posterior.warnings)


def test_lists_every_edge_once(make_large: Any, path: Path) -> None:
    posterior = make_large()
    page = write_report(posterior, path).read_text(encoding="utf-8").replace("<wbr>", "")
    found = re.findall(
        r'class="edge">([^<]*)</span> → <span class="edge">([^<]*)</span></td>', page
    )
    table = posterior.edge_table()
    assert sorted(found) == sorted(zip(table["parent"], table["child"], strict=True))


def test_names_from_the_data_are_shown_as_they_are(make_small: Any, path: Path) -> None:
    evil = "<script>alert('x')</script>"
    posterior = make_small(
        tables={"<b>labs</b>": [evil, "a & b", "$x$", "_hidden"], "_scan": ["c\nd", "$5", "e"]},
        variables={"person": ["<i>age</i>"]},
        warnings=("<u>careful</u>",),
        extra_settings={"note": "<img src=x>"},
    )
    page = read(posterior, path)
    assert not {"script", "u"} & page.tags
    assert len(page.pictures) == len([a for a in page.addresses if a.startswith("data:")])
    for shown in (evil, "a & b", "<i>age</i>", "<u>careful</u>", "<img src=x>", "$5"):
        assert shown in page.text
    assert "<script" not in summary_html(posterior)
    assert "<u>careful" not in summary_html(posterior)


def test_leaves_matplotlib_as_it_was(small_posterior: Any, path: Path) -> None:
    plt.switch_backend("agg")
    mine = plt.figure()
    before = dict(mpl.rcParams)
    write_report(small_posterior, path)
    assert plt.get_fignums() == [mine.number]
    assert plt.gcf() is mine
    assert dict(mpl.rcParams) == before
    plt.close(mine)


def test_the_same_posterior_gives_the_same_file(small_posterior: Any, tmp_path: Path) -> None:
    first, second = (write_report(small_posterior, tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_restarts_that_were_left_after_the_search_are_told_of(
    make_small: Any, tmp_path: Path
) -> None:
    posterior = make_small(n_restarts=4, extra_settings={"restarts": 8})
    text = " ".join(read(posterior, tmp_path / "four.html").text.split())
    assert "from 8 random starts; the 4 that found most" in text
    assert "restarts trained to the end" in text


def test_one_restart_is_not_presented_as_agreement(make_small: Any, tmp_path: Path) -> None:
    one = read(make_small(n_restarts=1), tmp_path / "one.html").text
    eight = read(make_small(n_restarts=8), tmp_path / "eight.html").text
    assert "cannot say whether another start" in one
    assert "from 8 random starts" in eight
    assert "7 (reported)" not in eight
    assert "0 (reported)" in eight


def test_without_a_rope_none_is_spoken_of(make_small: Any, path: Path) -> None:
    text = read(make_small(rope=0.0), path).text
    assert "Weaker influences count as none" not in text
    assert "grey band" not in text


def test_makes_folders_and_takes_strings(small_posterior: Any, tmp_path: Path) -> None:
    path = write_report(small_posterior, str(tmp_path / "a" / "b" / "report.html"))
    assert path.is_file()


def test_a_path_that_cannot_be_a_file_is_named(small_posterior: Any, tmp_path: Path) -> None:
    with pytest.raises(PyrocrlError, match="is a folder"):
        write_report(small_posterior, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PyrocrlError, match="file"):
        write_report(small_posterior, tmp_path / "file" / "report.html")


def test_the_notebook_summary_shows_the_most_probable_edges(posterior: Any) -> None:
    reader = Reader()
    reader.feed(summary_html(posterior, top=3))
    assert reader.open == []
    for row in posterior.edge_table().head(1).itertuples():
        assert row.parent in reader.text
        assert row.child in reader.text
    assert ("more edge" in reader.text) == (len(posterior.edge_table()) > 3)


def test_directions_are_shown_where_the_order_was_open(make_small: Any, tmp_path: Path) -> None:
    learned = make_small(extra_settings={"order": ORDERS["learned"]})
    told, given = (
        read(posterior, tmp_path / f"{i}.html")
        for i, posterior in enumerate((learned, make_small()))
    )
    assert "directions" in told.anchors
    assert "Which directions the data fix" in told.text
    assert "directions" not in given.anchors
