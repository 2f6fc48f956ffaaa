# The four commands of every day. `make test ARGS="-n 0 tests/transcript"` runs one file.

BIN := .venv/bin
ARGS :=

.PHONY: run test check fix

run: .venv/for-running
	$(BIN)/python manage.py up

test: .venv/for-tests
	$(BIN)/python -m pytest $(ARGS)

check: .venv/for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run

fix: .venv/for-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/for-running: requirements.txt
	python3 -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/for-tests: requirements.txt requirements-dev.txt
	python3 -m venv .venv
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
