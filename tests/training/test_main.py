from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from training.__main__ import COMMANDS, main


def test_help_names_the_commands_and_imports_none_of_them():
    code = (
        "import sys; from training.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = ('numpy', 'tensorflow', 'sklearn', 'training.corpora')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert all(command in result.stdout for command in COMMANDS)
    assert result.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dance"])
    assert stop.value.code == 2
    assert "dance" in capsys.readouterr().err


def test_an_error_of_the_material_is_one_line_and_code_2(tmp_path, capsys):
    bundle = tmp_path / "no-bundle"
    assert main(["evaluate", "--bundle", str(bundle), "--corpora", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1


def test_a_missing_package_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(COMMANDS, "imaginary", "needs a package that is not there")
    module = type(sys)("training.imaginary")
    module.__doc__ = "Needs a package."
    module.add_arguments = lambda parser: None

    def run(arguments):
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    module.run = run
    monkeypatch.setitem(sys.modules, "training.imaginary", module)
    assert main(["imaginary"]) == 2
    assert "sklearn is not installed" in capsys.readouterr().err


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A whole bundle of random models that run."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("tf_keras")
    from tests.edge.bundles import feature_shape, make_bundle, make_tiny_model, random_gate

    features = feature_shape()[1]
    models = {
        gender: make_tiny_model(seed, features).int8
        for seed, gender in enumerate(("female", "male"))
    }
    return make_bundle(tmp_path_factory.mktemp("bundle"), random_gate(), models)


def test_evaluate_prints_tables_and_writes_json_and_plots(
    bundle, miniature_corpora, tmp_path, capsys
):
    pytest.importorskip("matplotlib")
    report, plots = tmp_path / "reports" / "evaluation.json", tmp_path / "plots"
    arguments = ["--bundle", str(bundle), "--corpora", str(miniature_corpora)]
    arguments += ["--json", str(report), "--plots", str(plots), "--only", "ravdess", "savee"]
    assert main(["evaluate", *arguments]) == 0
    printed = capsys.readouterr().out
    content = json.loads(report.read_text())
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert content["bundle"]["manifest_sha256"] == digest and digest in printed
    assert content["versions"]["numpy"] and content["protocol"]["name"] == "release"
    assert [(group["corpus"], group["part"]) for group in content["emotion"]] == [
        ("ravdess", "validation"),
        ("ravdess", "test"),
        ("savee", "test"),
    ]
    assert f"{100 * content['emotion'][0]['ua']:.2f}" in printed
    assert (plots / "confusion-savee-test.png").is_file()


def test_evaluate_takes_another_protocol_and_a_fold_of_it(bundle, miniature_corpora, capsys):
    from training.protocol import EMOBOX

    arguments = ["--bundle", str(bundle), "--corpora", str(miniature_corpora), "--only", "savee"]
    arguments += ["--protocol", str(EMOBOX), "--parts", "test"]
    assert main(["evaluate", *arguments]) == 2
    assert "has folds" in capsys.readouterr().err
    assert main(["evaluate", *arguments, "--fold", "2"]) == 0
    assert "protocol emobox, fold 2; 7 clips" in capsys.readouterr().out
