# One target for each thing a contributor does; `make` lists them.
PYTHON := .venv/bin/python
BIN := .venv/bin
SH := .ci/setup .ci/minio tests/all.sh packer/examples/try.sh tests/vm/make_base_image.sh $(wildcard guest/parts/*.sh)

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## .venv with buildtel and all tools
	sh .ci/setup --dev

all: check test ## every check and every test

check: agent-check vendor-check lint types imports shell ## everything but the tests

agent: ## join guest/parts into the agent
	$(PYTHON) guest/assemble.py

agent-check: ## whether the agent is what its parts give
	$(PYTHON) guest/assemble.py --check

vendor: ## fetch the library of the pages' charts from npm
	$(PYTHON) host/vendor.py

vendor-check: ## whether that library is what SOURCE.json says
	$(PYTHON) host/vendor.py --check

lint: ## ruff
	$(BIN)/ruff check .

types: ## mypy, strict
	$(BIN)/mypy

imports: ## data flows one way
	$(BIN)/lint-imports

shell: ## shellcheck
	$(BIN)/shellcheck $(SH)
	$(BIN)/shellcheck -s bash .ci/run

schema: ## write docs/job.schema.json and the tables of docs/format.md and docs/diagnosis.md anew from the code
	$(PYTHON) docs/job_schema.py
	$(PYTHON) docs/tables.py

test: ## all tests by parts, with the time of each (the VM's part takes most)
	$(PYTHON) -m tests.parts

minio: ## a MinIO server in .cache/bin, for the store's tests (some minutes, needs Go)
	sh .ci/minio

quick: ## the tests that take seconds, less than a minute in all
	$(PYTHON) -m tests.parts quick

prefixes: ## a real log cut at every byte: figures of the whole log's (minutes)
	BUILDTEL_EVERY_BYTE=1 $(BIN)/pytest -q tests/host/measure/test_recovery_prefixes.py

golden: schema ## write the golden files and the schema anew; read the diff
	UPDATE_GOLDEN=1 $(BIN)/pytest -q tests/guest -k golden

bench: ## figures beside their yardsticks, measured in one run
	$(PYTHON) tests/bench/agent.py
	$(PYTHON) -m tests.bench.host
	$(PYTHON) tests/bench/packer.py
	$(PYTHON) tests/bench/reading.py
	$(PYTHON) -m tests.bench.page

evidence: ## accounts of commands in long form: what they cost, how near they are (minutes, as root)
	$(BIN)/pytest -q tests/guest/test_accounts.py tests/wired/test_accounts.py tests/wired/test_ansible.py
	$(PYTHON) tests/bench/accounts.py
	$(PYTHON) -m tests.bench.log_growth
	$(PYTHON) -m tests.vm.kernels

causes: ## builds with causes that programs make on purpose; writes docs/causes.md (minutes, as root, on an idle machine)
	$(PYTHON) -m tests.causes --write

stories: ## the examples of slow builds, diagnosed and mended; writes docs/stories.md (a minute, on an idle machine)
	$(PYTHON) -m tests.stories

saved: ## make the saved logs of real builds by this agent anew (root; fixtures/SOURCE.md)
	$(PYTHON) -m tests.wired.saved

unharmed: ## every world with and without us, 300 SIGKILLs; writes docs/unharmed.md (half an hour, as root)
	$(PYTHON) -m tests.guest.unharmed --write

fuzz: ## a million logs made worse, and others (hours); N=1000 for fewer
	nice $(PYTHON) -m tests.fuzz --logs $(or $(N),1000000) --forged $(or $(N),100000) \
		--templates $(or $(N),20000) --documents $(or $(N),100000) --passed $(or $(N),100000)

coverage: ## which branches the tests take in agent, reader, fold and stores: at least 95 %
	$(PYTHON) tests/coverage/measure.py

mutation: ## whether the tests notice small mistakes in formulas and record reader: at least 90 % (half an hour)
	nice $(PYTHON) -m tests.mutation

pictures: ## the pictures of README and docs, from a real build (some minutes) or DOCUMENT=job.json
	$(PYTHON) docs/pictures.py $(DOCUMENT)

demo: ## the README's first command
	sh packer/examples/try.sh

wheel: ## build sdist and wheel into dist/
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .

.PHONY: agent agent-check causes stories evidence vendor vendor-check minio prefixes help setup all check lint types imports shell schema test quick golden bench fuzz coverage mutation saved unharmed demo pictures wheel
