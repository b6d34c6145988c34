# `make demo` and `make test` do everything on a fresh machine: they make .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-vm deb phones clean

demo: .venv/base
	$(BIN)/realtime-bokeh demo out/demo.mp4

# Several processes: with every exporter's and runtime's libraries in one, Python crashed in the end.
# Two at a time; what each says comes when it has ended.
TESTS := training panel engines exporters live files app
.PHONY: $(TESTS:%=test-%)

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) --jobs=2 --output-sync $(TESTS:%=test-%)

test-training: ; $(BIN)/python -m pytest tests/training
test-panel: ; $(BIN)/python -m pytest tests/panel tests/tray
test-engines: ; $(BIN)/python -m pytest tests/benchmarks tests/engines
test-exporters: ; $(BIN)/python -m pytest tests/examples tests/export tests/network
test-live: ; $(BIN)/python -m pytest tests/live
test-files: ; $(BIN)/python -m pytest tests/sinks tests/sources tests/test_*.py
test-app: ; $(BIN)/python -m pytest tests/app

# The package is compressed less: that takes a tenth of the time, here and in the machine. 77: it was skipped.
test-vm: .venv/base
	COMPRESSION=zstd scripts/debian/build.sh || [ $$? = 77 ]
	bash tests/vm/test.sh

deb:
	scripts/debian/build.sh

# The TFLite models of a release, in engines/: cores for 256x144, and whole frames for lite. PHOTOS is
# a folder that shows int8 the ranges; without it, it is the built-in scene.
phones: .venv/dev
	for precision in f32 f16 int8 int8-float-io; do for model in lite dmshn stacked; do \
		$(BIN)/realtime-bokeh export tflite engines/$$model-256x144-$$precision.tflite \
			--model $$model --size 256x144 --precision $$precision $(if $(PHOTOS),--pictures "$(PHOTOS)") || exit; \
	done; done
	$(BIN)/realtime-bokeh export tflite engines/lite-frame-1280x720-int8.tflite \
		--frame --size 1280x720 $(if $(PHOTOS),--pictures "$(PHOTOS)")

# The stamps say that the packages that pyproject.toml names are installed.
.venv/base: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

# PyTorch's version is fixed so that every machine tests with the same one.
.venv/dev: .venv/base
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv out
