"""Every method on a tiny expert, and how one of their products is chosen."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from edge.emotion import TFLiteExpert
from edge.errors import EdgeError
from edge.labels import GENDERS
from quantize.settings import METHODS, MethodSettings, Thresholds
from tests.quantize.tiny import LENIENT

TINY = MethodSettings(representative_windows=48, batch_size=16)


@pytest.fixture(scope="module")
def workpiece(tiny_run, tiny_corpora, tiny_cache):
    from quantize.balancing import balance
    from quantize.float_run import FloatRun
    from quantize.folding import folded
    from quantize.material import read_material
    from quantize.methods import Workpiece
    from quantize.representative import representative_windows
    from training.protocol import RELEASE
    from training.tensorflow_setup import compute_in_bfloat16

    compute_in_bfloat16(False)
    run = FloatRun.load(tiny_run)
    material = read_material(run, tiny_corpora, tiny_cache, RELEASE).train
    windows = representative_windows(material.clips, material.log_mels, run.features, 48, 0)
    model = folded(run.experts["male"])
    balance(model, windows, 0.7)
    return Workpiece(
        "male", model, windows, material, run.training_settings(), run.features, TINY, False
    )


@pytest.fixture(scope="module")
def automatic(tiny_run, quantize_command, tmp_path_factory):
    """The folder of a run after `--method auto`, with the bundle in it."""
    folder = tmp_path_factory.mktemp("automatic") / "run"
    shutil.copytree(tiny_run, folder, ignore=shutil.ignore_patterns("quantize"))
    assert quantize_command(folder, folder / "bundle", *LENIENT) == 0
    return folder


@pytest.fixture(scope="module")
def products(automatic):
    """What each method made of the male expert."""
    products = {}
    for method in METHODS:
        (path,) = (automatic / "quantize").glob(f"male-{method}-????????????????.tflite")
        products[method] = path.read_bytes()
    return products


@pytest.mark.parametrize("method", METHODS)
def test_a_product_is_int8_throughout_and_answers_like_the_float_expert(
    products, workpiece, method
):
    from quantize.graph import Graph

    Graph(products[method]).require_int8()
    expert = TFLiteExpert(products[method])
    float_logits = workpiece.model(workpiece.representative, training=False).numpy()
    logits = np.stack([expert.logits(window[..., 0]) for window in workpiece.representative])
    assert (logits.argmax(axis=1) == float_logits.argmax(axis=1)).mean() >= 0.9


@pytest.mark.parametrize("method", METHODS)
def test_dilated_convolutions_stay_one_operation(products, method):
    from quantize.graph import Graph

    kinds = [operation.kind for operation in Graph(products[method]).operations]
    assert not {"SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "DEQUANTIZE"} & set(kinds)
    assert kinds.count("CONV_2D") == 3 + 3 * 2  # stem; three in each of two blocks


@pytest.mark.parametrize("method", ["qat", "prune-qat", "cluster"])
def test_training_gives_the_same_bytes_again(products, workpiece, method, tmp_path):
    from quantize.variants import made_variant

    assert made_variant(workpiece, method, "digest", tmp_path) == products[method]


def test_pruning_leaves_the_share_of_zeros_that_was_asked_for(products):
    from quantize.graph import Graph

    pruned, plain = Graph(products["prune-qat"]), Graph(products["qat"])
    assert pruned.zero_share >= TINY.prune_sparsity - 0.02
    assert plain.zero_share < TINY.prune_sparsity / 2


def test_clustering_leaves_few_values_to_each_channel(workpiece):
    from quantize.graph import Graph
    from quantize.methods import clustered

    settings = dataclasses.replace(TINY, clusters=4)
    graph = Graph(clustered(dataclasses.replace(workpiece, settings=settings)))
    for operation in graph.operations:
        if operation.kind == "CONV_2D":
            weights = graph.tensors[operation.inputs[1]]
            values = np.frombuffer(weights.constant, np.int8).reshape(weights.shape)
            assert all(len(np.unique(channel)) <= 4 for channel in values)


def test_a_variant_is_made_once_and_kept_by_its_settings(workpiece, tmp_path, monkeypatch):
    from quantize import variants

    made = []

    def make(piece):
        made.append(piece.settings.seed)
        return products_of_ptq

    products_of_ptq = variants.BY_NAME["ptq"](workpiece)
    monkeypatch.setitem(variants.BY_NAME, "ptq", make)
    other = dataclasses.replace(workpiece, settings=dataclasses.replace(TINY, seed=7))
    for piece in (workpiece, workpiece, other, other):
        variants.made_variant(piece, "ptq", "digest", tmp_path)
    variants.made_variant(workpiece, "ptq", "another expert", tmp_path)
    assert made == [0, 7, 0]


def test_auto_proves_the_pair_that_it_chose(automatic):
    quantization = json.loads((automatic / "bundle" / "quantization.json").read_text())
    found = {(v["gender"], v["method"]): v for v in quantization["variants"]}
    assert set(found) == {(gender, method) for gender in GENDERS for method in METHODS}
    for gender, chosen in quantization["chosen"].items():
        assert found[gender, chosen["method"]] == chosen
        model = (automatic / "bundle" / f"{gender}.tflite").read_bytes()
        kept = (automatic / "quantize").glob(f"{gender}-{chosen['method']}-????????????????.tflite")
        assert model in [path.read_bytes() for path in kept]


def test_a_rehearsal_answers_as_the_recogniser_does(automatic, tiny_corpora, tiny_cache):
    from edge.bundle import Bundle
    from edge.recognizer import Recognizer
    from quantize.float_run import FloatRun
    from quantize.gate_precision import GateWindows
    from quantize.material import read_material
    from quantize.windows import ClipWindows, Rehearsal
    from training.emotion import WINDOW_HOP, Material
    from training.evaluation import evaluate
    from training.protocol import RELEASE

    run, bundle = FloatRun.load(automatic), Bundle.load(automatic / "bundle")
    corpora = read_material(run, tiny_corpora, tiny_cache, RELEASE)
    windows = ClipWindows(Material(*corpora.in_use("validation")), run.features)
    heard = GateWindows.cut(
        windows.material.log_mels, run.front_end, WINDOW_HOP, run.features.trim_db
    )
    assert bundle.blend.most < 1.0
    rehearsal = Rehearsal(windows, corpora.protocol, heard.posteriors(bundle.gate), bundle.blend)
    logits = {gender: windows.logits(expert) for gender, expert in bundle.experts.items()}
    rehearsed = rehearsal.evaluation(logits, bundle.temperatures)
    asked = evaluate(
        Recognizer(bundle), windows.material.clips, corpora.protocol, ("validation",),
        progress=False,
    )
    assert np.allclose(rehearsed.female, asked.female, atol=1e-12)
    assert np.allclose(rehearsed.probabilities, asked.probabilities, atol=1e-12)
    assert np.allclose(
        rehearsed.probabilities_true_gender, asked.probabilities_true_gender, atol=1e-12
    )


class TestChoice:
    """`Contest.best` on variants that are nothing but logits."""

    @pytest.fixture
    def contest(self, tiny_corpora, tiny_cache, tiny_run):
        from edge.bundle import Blend
        from quantize.choice import Contest
        from quantize.float_run import FloatRun
        from quantize.material import read_material
        from quantize.windows import ClipWindows, Rehearsal
        from training.emotion import Material
        from training.protocol import RELEASE

        run = FloatRun.load(tiny_run)
        corpora = read_material(run, tiny_corpora, tiny_cache, RELEASE)
        windows = ClipWindows(Material(*corpora.in_use("validation")), run.features)
        female = windows.of_gender("female").astype(float)
        rehearsal = Rehearsal(
            windows, corpora.protocol, (female, female[windows.owners]), Blend(0.98, 94, -50.0)
        )
        truth = np.eye(8)[windows.material.labels][windows.owners] * 4.0
        self.windows, self.truth = windows, truth.astype(np.float32)

        def contest(wrong=0):
            """The float experts err on so many clips of each gender."""
            exact = {gender: self.variant(gender, b"", wrong).logits for gender in GENDERS}
            return Contest(windows, rehearsal, exact, dict.fromkeys(GENDERS, 1.0), Thresholds())

        return contest

    def variant(self, gender, model, wrong=0):
        """Gives the first `wrong` clips of the gender another label."""
        from quantize.variants import Variant

        logits = self.truth.copy()
        for clip in np.flatnonzero(self.windows.of_gender(gender))[:wrong]:
            rows = self.windows.owners == clip
            logits[rows] = np.roll(logits[rows], 1, axis=1)
        return Variant(gender, "ptq", model, logits, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @pytest.fixture
    def no_graphs(self, monkeypatch):
        from quantize import variants

        class Graph:
            def __init__(self, model):
                self.size = self.compressed_size = len(model)

        monkeypatch.setattr(variants, "Graph", Graph)

    def test_the_faithful_one_wins_over_one_that_seems_better(self, contest, no_graphs):
        right, same = self.variant("male", b"m"), self.variant("male", b"larger", wrong=5)
        chosen = contest(wrong=5).best([right, same, self.variant("female", b"f", wrong=5)], 100)
        assert chosen["male"] is same

    def test_fewer_mistakes_win_over_fewer_bytes(self, contest, no_graphs):
        right, small = self.variant("female", b"large"), self.variant("female", b"s", wrong=9)
        chosen = contest().best([small, right, self.variant("male", b"m")], 100)
        assert chosen["female"] is right

    def test_of_equals_the_smaller_is_kept(self, contest, no_graphs):
        large, small = self.variant("male", b"large"), self.variant("male", b"s")
        chosen = contest().best([large, small, self.variant("female", b"f")], 100)
        assert chosen["male"] is small

    def test_of_equals_the_one_fairer_to_the_worse_heard_gender_is_kept(
        self, contest, no_graphs, monkeypatch
    ):
        """Men's mistakes decide where they are the more; women's do not, and size does."""
        of_equals = contest()
        monkeypatch.setattr(of_equals, "_largest_change", lambda proof, system: 0.0)
        worse, fair = self.variant("male", b"m", wrong=3), self.variant("male", b"larger", wrong=1)
        chosen = of_equals.best([worse, fair, self.variant("female", b"f")], 100)
        assert chosen["male"] is fair
        heard_well = self.variant("female", b"larger")
        chosen = of_equals.best([heard_well, self.variant("female", b"f", wrong=1), worse], 100)
        assert chosen["female"].model == b"f"

    def test_the_budget_shuts_out_the_better_one(self, contest, no_graphs):
        right, small = self.variant("male", b"large"), self.variant("male", b"s", wrong=5)
        chosen = contest().best([right, small, self.variant("female", b"f")], 3)
        assert chosen["male"] is small
        with pytest.raises(EdgeError, match="no female expert is within 0 bytes"):
            contest().best([right, small, self.variant("female", b"f")], 0)
