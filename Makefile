# Everything that is run from a checkout. `make help` lists the targets.

PYTHON := $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
BUILD := pyproject.toml setup.py $(wildcard kernels/*.pyx kernels/*.pxd kernels/*.h)

CLIP ?=
CORPORA ?=
BUNDLE ?= edge/models/default
RUN ?= runs/release

export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

.DELETE_ON_ERROR:
.PHONY: help run app apk aab screenshots test evaluate bench train lint clean system-deps need-corpora

help:  ## | list the targets
	@awk -F ':[^#]*## *| *\\| *' '/^[a-z-]+:.*## / { printf "make %-32s %s\n", $$1 " " $$2, $$3 }' \
	  $(MAKEFILE_LIST)

run: $(VENV)/.run  ## [CLIP=path.wav] | classify the sample clips, or CLIP
	@$(BIN)/edge-ser predict $(if $(CLIP),"$(CLIP)",examples/clips/*.wav)

app: $(VENV)/.app  ## [CLIP=path.wav] | open the app, with the microphone or with CLIP in its place
	@$(BIN)/python -m app $(if $(CLIP),--clip "$(CLIP)") $(ARGS)

screenshots: $(VENV)/.development  ## [ARGS=--all] | draw every screen of the app into reports/app
	$(BIN)/python -m tests.app.screenshots reports/app $(ARGS)

apk:  ## | package the app for an Android phone at hand; see docs/mobile.md
aab:  ## | package the app for Google Play; see docs/mobile.md
apk aab:
	@for tool in buildozer cython javac git unzip; do command -v $$tool >/dev/null || \
	  { echo "$$tool is not here; docs/mobile.md says what a build for Android needs" >&2; exit 2; }; done
	cd app && buildozer android $(if $(filter aab,$@),release,debug)

test: $(VENV)/.development  ## [ARGS='-k name'] | run the tests, two at a time
	$(BIN)/python -m pytest -q --durations=15 --numprocesses=2 --dist=loadfile $(ARGS)

evaluate: need-corpora $(VENV)/.development  ## CORPORA=folder | score the shipped models
	@mkdir -p reports
	$(BIN)/python -m training evaluate --bundle "$(BUNDLE)" --corpora "$(CORPORA)" \
	  --json reports/evaluation.json --plots reports $(ARGS)

# Teachers hear less noise than their pupils: it is the clean clip that they are asked about.
MILD := augmentation.acoustics.noise_share=0.3 'augmentation.acoustics.noise_snr_db=[8.0,40.0]' \
  augmentation.acoustics.room_share=0 augmentation.acoustics.band_share=0 \
  augmentation.acoustics.overdrive_share=0
HARSH := distillation=0.7 universal.learning_rate=0.0012 specialised.epochs=6 \
  augmentation.acoustics.noise_share=0.75 'augmentation.acoustics.noise_snr_db=[3.0,30.0]' \
  augmentation.acoustics.room_share=0.2 augmentation.acoustics.band_share=0.2
NOISY := distillation=0.7 universal.learning_rate=0.0012 specialised.epochs=5 \
  augmentation.acoustics.noise_share=0.8 'augmentation.acoustics.noise_snr_db=[3.0,30.0]' \
  'augmentation.acoustics.hiss_slope=[-3.5,1.5]' \
  augmentation.acoustics.room_share=0.2 augmentation.acoustics.band_share=0.2
LESS_TAUGHT := distillation=0.3 'repeats={"ravdess":2}'

train: need-corpora $(VENV)/.development  ## CORPORA=folder | fit the gender gate, teachers and pupils, the experts and the judge of prosody
	$(BIN)/python -m training gender --corpora "$(CORPORA)" --run "$(RUN)"
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-teacher-1" \
	  --stages universal --set $(MILD)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-teacher-2" \
	  --stages universal --set seed=1 n_mfcc=32 universal.epochs=35 \
	  'repeats={"ravdess":2.0,"savee":2.0}' $(MILD)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-pupil" \
	  --stages universal --teachers "$(RUN)-teacher-1" "$(RUN)-teacher-2" \
	  --set seed=2 $(MILD)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-hardened" \
	  --stages universal second --initial "$(RUN)-pupil" "$(RUN)-teacher-1" \
	  --teachers "$(RUN)-teacher-1" "$(RUN)-teacher-2" \
	  --set seed=4 universal.epochs=20 universal.learning_rate=0.001
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-longer" \
	  --initial "$(RUN)-hardened" --teachers "$(RUN)-teacher-1" "$(RUN)-teacher-2" \
	  --set seed=5 universal.epochs=24 $(HARSH)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-longest" \
	  --initial "$(RUN)-longer" --teachers "$(RUN)-teacher-1" "$(RUN)-teacher-2" \
	  --set seed=6 universal.epochs=30 $(HARSH)
	$(BIN)/python -m training average --corpora "$(CORPORA)" --run "$(RUN)-mean" \
	  --of "$(RUN)-longer" "$(RUN)-longest"
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-noise" \
	  --initial "$(RUN)-mean" --teachers "$(RUN)-mean" \
	  --set seed=7 universal.epochs=24 $(NOISY)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-noise-2" \
	  --initial "$(RUN)-noise" --teachers "$(RUN)-mean" "$(RUN)-noise" \
	  --set seed=8 universal.epochs=20 $(NOISY)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-cepstrum" \
	  --initial "$(RUN)-noise-2" --teachers "$(RUN)-mean" "$(RUN)-noise" \
	  --set seed=10 universal.epochs=16 $(NOISY) $(LESS_TAUGHT)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-spectrum" \
	  --stages universal --teachers "$(RUN)-cepstrum" \
	  --set seed=21 $(NOISY) $(LESS_TAUGHT) distillation=0.4 universal.epochs=36 \
	  universal.learning_rate=0.002 specialised.epochs=10 n_mfcc=64 \
	  network.columns=64 network.spectrum=true network.stem_channels=[16,32,48,64] \
	  network.halvings=2 augmentation.acoustics.noise_share=0.6 \
	  augmentation.acoustics.room_share=0.15 augmentation.acoustics.band_share=0.15
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-spectrum-2" \
	  --shipped-networks --stages second --initial "$(RUN)-spectrum" \
	  --teachers "$(RUN)-cepstrum" "$(RUN)-spectrum" \
	  --set seed=15 universal.epochs=20 $(NOISY) $(LESS_TAUGHT)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-both" \
	  --shipped-networks --initial "$(RUN)-cepstrum:second" "$(RUN)-spectrum-2:second" \
	  --teachers "$(RUN)-cepstrum" "$(RUN)-spectrum" \
	  --set seed=16 universal.epochs=0 $(NOISY) $(LESS_TAUGHT)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)-spectrum-3" \
	  --shipped-networks --stages second --initial "$(RUN)-both:second" \
	  --teachers "$(RUN)-both" --set seed=17 universal.epochs=18 $(NOISY) $(LESS_TAUGHT)
	$(BIN)/python -m training emotion --corpora "$(CORPORA)" --run "$(RUN)" \
	  --shipped-networks --initial "$(RUN)-both:universal" "$(RUN)-spectrum-3:second" \
	  --teachers "$(RUN)-both" --set seed=18 universal.epochs=0 $(NOISY) $(LESS_TAUGHT)
	$(BIN)/python -m training prosody --corpora "$(CORPORA)" --run "$(RUN)"

bench: $(VENV)/.development  ## | time every stage beside other libraries
	$(BIN)/python -m benchmarks --bundle "$(or $(EDGE_BENCH_BUNDLE),$(BUNDLE))" $(ARGS)

lint: $(VENV)/.development  ## | check style and types
	$(BIN)/ruff check .
	$(BIN)/mypy --strict edge
	$(BIN)/pyright --pythonpath $(BIN)/python edge

system-deps:  ## | install what pip cannot (apt)
	@.ci/system-deps $(PYTHON)

clean:  ## | remove the environment and everything built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .hypothesis .benchmarks .mypy_cache .ruff_cache
	rm -f edge/_kernels/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

need-corpora:
	@test -d "$(CORPORA)" || { \
	  echo "CORPORA names the folder of the corpora: make $(MAKECMDGOALS) CORPORA=folder" >&2; exit 2; }

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.app: $(VENV)/.run
	@echo "installing Kivy and the way to the microphone"
	@$(PIP) install --editable '.[tflite,audio,app]'
	@touch $@

# Editable, so that the checkout itself runs; it is the kernels' sources that call for another build.
$(VENV)/.run: $(BUILD) | $(VENV)/.made
	@echo "building the kernels and installing the runtime"
	@$(PIP) install --editable '.[audio]'
	@touch $@

$(VENV)/.development: $(BUILD) | $(VENV)/.made
	@echo "building the kernels and installing what tests and training need"
	@$(PIP) install --editable '.[tflite,audio,train,test,bench,lint,voice-activity]'
	@$(PIP) install --no-deps tf_keras==2.15.1 silero-vad==6.2.3 buildozer==1.6.0
	@touch $(VENV)/.run $@
