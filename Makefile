# 商量 Shangliang. `make up` runs it, `make test` proves it; both need Python 3.11+ (with venv) and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Linting and tests run in this folder's environment, whatever the caller has active.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
# Without kept bytecode every start of a command takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

# Each file of tests runs in one of as many processes as there are cores, in the order of their speed. Every process
# has servers of its own, so that more than three would only fight for the disk.
SIDE_BY_SIDE := -n logical --maxprocesses 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

.PHONY: up test fast lint types bench shots chaos histories lock clean help
.DEFAULT_GOAL := help

help: ## 列出命令 / list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

up: runtime ## 安装并启动 / install and start everything on this machine
	@exec $(BIN)/shangliang up

test: develop ## 检查与全部测试 / lint and every test, the fast ones first
	@$(MAKE) --no-print-directory lint
	@sh .ci/chromium
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

fast: develop ## 只测规则与接口 / rules and web only
	$(BIN)/python -m pytest $(wildcard tests/unit tests/rules tests/arch tests/web)

lint: develop ## 风格、类型、引用层次、危险写法 / style, types, import floors, dangerous code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --confidence-level medium --recursive services workflows activities migrations

shots: develop ## 重拍说明里的截图 / take the pictures of the README again
	@sh .ci/chromium
	$(BIN)/python -m tests.browser.shots

bench: develop ## 测量 / measure
	$(BIN)/python -m tests.bench

histories: develop ## 重录回放用的历史 / record the histories that the replays play
	$(BIN)/python -m tests.replay.record

chaos: develop ## 故意破坏并核对 / break it on purpose and count what breaks with it
	$(BIN)/python -m tests.chaos

lock: develop ## 更新锁定文件 / renew the lock files
	$(BIN)/python .ci/lock.py

clean: ## 删除环境与缓存 / remove the environment and caches, keep the data
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# .ci/environment notices an environment that is missing, half made, moved or out of date, and makes it again.
.PHONY: runtime develop
runtime:
	@sh .ci/environment "$(PYTHON)" $(VENV) requirements.lock

develop:
	@sh .ci/environment "$(PYTHON)" $(VENV) requirements-dev.lock
