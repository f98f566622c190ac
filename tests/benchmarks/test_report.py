"""The arithmetic and the wording of the benchmark table."""

from __future__ import annotations

import copy
import json

import pytest

from benchmarks.report import (
    BEGIN,
    END,
    Group,
    Report,
    ReportError,
    Row,
    format_ratio,
    format_size,
    format_time,
    main,
    replaced_between_markers,
    to_markdown,
)


def benchmark(entry, median, *, group="Resampling", baseline=False, note="", iqr=1e-5, rounds=10):
    return {
        "name": f"bench_{entry}",
        "group": group,
        "stats": {"median": median, "iqr": iqr, "rounds": rounds},
        "extra_info": {
            "entry": entry, "baseline": baseline, "finding": f"{entry} is right", "note": note,
        },
    }


@pytest.fixture
def run():
    """A run as pytest-benchmark writes it, with what benchmarks/conftest.py adds."""
    return {
        "datetime": "2024-05-06T07:08:09",
        "machine_info": {"cpu": {"brand_raw": "Example Processor"}},
        "benchmarks": [
            benchmark("soxr", 0.5e-3, note="another filter"),
            benchmark("edge", 1.25e-3, baseline=True),
            benchmark("scipy", 30e-3),
            benchmark("edge", 2.0, group="Start", baseline=True),
        ],
        "installed_sizes": [
            {"entry": "edge", "baseline": True, "bytes": 2_000_000,
             "parts": {"edge": 500_000, "numpy": 1_500_000}},
            {"entry": "other", "baseline": False, "bytes": 9_000_000,
             "parts": {"other": 9_000_000}},
        ],
        "environment": {
            "python": "3.11.1", "system": "Linux x86_64", "processors": 2, "load": 0.05,
            "threads": 1, "bundle": {"name": "tiny", "version": "0.1"},
            "instructions": "avx2",
            "versions": {"numpy": "1.26.4"}, "commit": {"id": "abc", "changed": False},
        },
    }


def cells(table, entry):
    """The cells of the first row of a Markdown table that begins with an entry."""
    for line in table.splitlines():
        columns = [column.strip() for column in line.strip("|").split("|")]
        if line.startswith("|") and columns[0] == entry:
            return columns
    raise AssertionError(f"no row {entry!r} in\n{table}")


def test_every_entry_is_divided_by_edges_median_of_its_own_group(run):
    resampling, start = Report.of(run).groups
    assert {row.entry: resampling.ratio(row) for row in resampling.rows} == {
        "edge": 1.0, "soxr": pytest.approx(0.4), "scipy": pytest.approx(24.0),
    }
    assert [start.ratio(row) for row in start.rows] == [1.0]


def test_edge_stands_first_and_the_others_stay_in_order(run):
    resampling, _ = Report.of(run).groups
    assert [row.entry for row in resampling.rows] == ["edge", "soxr", "scipy"]


def test_a_library_that_is_faster_is_shown_below_one(run):
    table = to_markdown(Report.of(run))
    assert cells(table, "edge")[1:4] == ["1.25 ms", "10.0 µs", "1.0x"]
    assert cells(table, "soxr")[1:] == ["500 µs", "10.0 µs", "0.40x", "soxr is right"]
    assert cells(table, "scipy")[3] == "24x"
    assert "- soxr: another filter." in table


def test_the_table_names_what_the_figures_depend_on(run):
    table = to_markdown(Report.of(run))
    for fact in ("Example Processor", "2 of them", "1 thread", "Linux x86_64", "Python 3.11.1",
                 "numpy 1.26.4", "tiny 0.1, run by avx2", "Commit: abc; 2024-05-06",
                 "0.05 (quiet)"):
        assert fact in table


def test_figures_of_a_busy_machine_or_a_changed_checkout_say_so(run):
    run["environment"]["load"] = 3.0
    run["environment"]["commit"]["changed"] = True
    report = Report.of(run)
    assert report.busy
    assert "DO NOT QUOTE" in to_markdown(report)
    assert "abc with changes that are not committed" in to_markdown(report)


def test_a_machine_that_cannot_tell_its_load_says_nothing_of_it(run):
    run["environment"]["load"] = None
    report = Report.of(run)
    assert not report.busy
    assert "Load" not in to_markdown(report)


def test_without_the_entry_of_edge_there_is_a_dash_for_the_ratio(run):
    run["benchmarks"] = [benchmark("scipy", 1.0)]
    assert cells(to_markdown(Report.of(run)), "scipy")[3] == "–"


def test_two_entries_to_compare_with_are_refused():
    rows = [Row("a", 1.0, 0.0, 1, baseline=True), Row("b", 1.0, 0.0, 1, baseline=True)]
    with pytest.raises(ReportError, match="'a', 'b'"):
        Group.of("Resampling", rows)


@pytest.mark.parametrize("median", [0.0, -1.0, float("nan"), float("inf")])
def test_a_median_that_is_no_time_is_refused(run, median):
    run["benchmarks"][2]["stats"]["median"] = median
    with pytest.raises(ReportError, match="bench_scipy.*measures nothing"):
        Report.of(run)


def test_a_benchmark_without_rounds_is_refused(run):
    run["benchmarks"][2]["stats"]["rounds"] = 0
    with pytest.raises(ReportError, match="bench_scipy"):
        Report.of(run)


def test_a_run_without_benchmarks_is_refused(run):
    run["benchmarks"] = []
    with pytest.raises(ReportError, match="nothing was measured"):
        Report.of(run)


@pytest.mark.parametrize("missing", ["benchmarks", "environment", "installed_sizes", "datetime"])
def test_a_file_that_is_not_such_a_run_is_refused(run, missing):
    del run[missing]
    with pytest.raises(ReportError, match=missing):
        Report.of(run)


def test_sizes_are_divided_by_that_of_edge_and_name_their_largest_parts(run):
    table = to_markdown(Report.of(run)).partition("### Size on disk")[2]
    assert cells(table, "edge")[1:] == ["2.00 MB", "1.0x", "numpy 1.50 MB, edge 500 kB"]
    assert cells(table, "other")[1:3] == ["9.00 MB", "4.5x"]


def test_many_parts_are_counted_rather_than_listed(run):
    run["installed_sizes"][0]["parts"] = {f"part{k}": 1000 * k for k in range(1, 9)}
    table = to_markdown(Report.of(run)).partition("### Size on disk")[2]
    assert cells(table, "edge")[3].startswith("part8 8.00 kB, part7 7.00 kB")
    assert cells(table, "edge")[3].endswith("part3 3.00 kB, 2 more")


def test_sizes_without_one_to_compare_with_are_refused(run):
    run["installed_sizes"][0]["baseline"] = False
    with pytest.raises(ReportError, match="size"):
        to_markdown(Report.of(run))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.0, "12.0 s"), (1.0, "1.00 s"), (0.9996, "1.00 s"), (0.9994, "999 ms"),
        (0.0123456, "12.3 ms"), (9.996e-3, "10.0 ms"), (4.2e-6, "4.20 µs"), (123e-9, "123 ns"),
        (0.0, "0.00 ns"), (123.4, "123 s"),
    ],
)
def test_times_have_three_figures(seconds, text):
    assert format_time(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(12, "12 B"), (1234, "1.23 kB"), (999_600, "1.00 MB"), (73_000_000, "73.0 MB"),
     (1_150_000_000, "1.15 GB")],
)
def test_sizes_have_three_figures_in_decimal_units(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0, "1.0x"), (0.996, "1.0x"), (0.361, "0.36x"), (0.04, "0.04x"), (0.004, "<0.01x"),
        (2.96, "3.0x"), (9.96, "10x"), (13.4, "13x"), (126.0, "130x"), (None, "–"),
    ],
)
def test_ratios_have_two_figures(ratio, text):
    assert format_ratio(ratio) == text


DOCUMENT = f"# Benchmarks\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n"


def test_a_table_is_renewed_between_its_markers_alone():
    renewed = replaced_between_markers(DOCUMENT, "new\n")
    assert renewed == f"# Benchmarks\n\nBefore.\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter.\n"
    assert replaced_between_markers(renewed, "new\n") == renewed


@pytest.mark.parametrize(
    "document",
    ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}{BEGIN}{END}", f"{BEGIN}{END}{END}"],
)
def test_a_document_without_one_pair_of_markers_is_refused(document):
    with pytest.raises(ReportError, match="benchmarks: begin"):
        replaced_between_markers(document, "new")


def test_the_command_prints_the_table_and_renews_the_document(run, tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps(run))
    document = tmp_path / "page.md"
    document.write_text(DOCUMENT)
    assert main([str(tmp_path / "run.json"), "--write", str(document)]) == 0
    printed = capsys.readouterr().out
    assert cells(printed, "scipy")[3] == "24x"
    assert printed.strip() in document.read_text()
    assert "old" not in document.read_text()


def test_the_command_leaves_the_document_alone_when_nothing_was_measured(run, tmp_path, capsys):
    empty = copy.deepcopy(run)
    empty["benchmarks"] = []
    (tmp_path / "run.json").write_text(json.dumps(empty))
    document = tmp_path / "page.md"
    document.write_text(DOCUMENT)
    assert main([str(tmp_path / "run.json"), "--write", str(document)]) == 2
    assert "nothing was measured" in capsys.readouterr().err
    assert document.read_text() == DOCUMENT


@pytest.mark.parametrize("content", [None, "no JSON", "[]"])
def test_the_command_names_a_file_that_it_cannot_read(tmp_path, capsys, content):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err
