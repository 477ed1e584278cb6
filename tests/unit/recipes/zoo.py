"""Small repositories of many kinds: files, and what should be seen in them."""

from __future__ import annotations

from collections.abc import Mapping

JEST = '{"scripts": {"test": "jest"}, "devDependencies": {"jest": "29"}}'
UNTESTED = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'
PYTEST = "[project]\nname = 'x'\n[tool.pytest.ini_options]\n"

Repository = Mapping[str, str]
ZOO: Mapping[str, tuple[Repository, tuple[str, ...], tuple[str, ...]]] = {
    # name: files, commands of set-up, checks
    "nothing": ({"README.md": "hi"}, (), ()),
    "npm": ({"package.json": JEST, "package-lock.json": "{}"}, ("npm ci",), ("npm test",)),
    "npm without lock": ({"package.json": JEST}, ("npm install",), ("npm test",)),
    "npm without anything": ({"package.json": UNTESTED}, (), ()),
    "npm, broken": ({"package.json": "{nonsense", "package-lock.json": ""}, ("npm ci",), ()),
    "npm, odd": ({"package.json": '{"scripts": ["test"], "packageManager": 3}'}, (), ()),
    "pnpm": ({"package.json": JEST, "pnpm-lock.yaml": ""}, ("pnpm install --frozen-lockfile",), ("pnpm test",)),
    "yarn": ({"package.json": JEST, "yarn.lock": ""}, ("yarn install --frozen-lockfile",), ("yarn test",)),
    "yarn berry": (
        {"package.json": JEST, "yarn.lock": "", ".yarnrc.yml": ""},
        ("yarn install --immutable",),
        ("yarn test",),
    ),
    "bun": ({"package.json": JEST, "bun.lock": ""}, ("bun install --frozen-lockfile",), ("bun run test",)),
    "several lock files": (
        {"package.json": JEST, "package-lock.json": "", "yarn.lock": ""},
        ("yarn install --frozen-lockfile",),
        ("yarn test",),
    ),
    "several lock files, settled": (
        {"package.json": JEST[:-1] + ', "packageManager": "npm@10"}', "package-lock.json": "", "yarn.lock": ""},
        ("npm ci",),
        ("npm test",),
    ),
    "a test that watches": (
        {"package.json": JEST.replace('"jest"', '"react-scripts test"', 1), "package-lock.json": ""},
        ("npm ci",),
        ("CI=true npm test",),
    ),
    "workspaces": (
        {
            "package.json": JEST[:-1] + ', "workspaces": ["packages/*"]}',
            "package-lock.json": "",
            "packages/a/package.json": JEST,
        },
        ("npm ci",),
        ("npm test",),
    ),
    "uv": ({"pyproject.toml": PYTEST, "uv.lock": ""}, ("uv sync",), ("uv run pytest",)),
    "poetry": ({"pyproject.toml": PYTEST, "poetry.lock": ""}, ("poetry install",), ("poetry run pytest",)),
    "pdm": ({"pyproject.toml": PYTEST, "pdm.lock": ""}, ("pdm sync --dev",), ("pdm run pytest",)),
    "requirements": (
        {"requirements.txt": "flask\n", "tests/test_app.py": "def test(): pass"},
        ("python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt pytest",),
        (".venv/bin/python -m pytest",),
    ),
    "requirements with pytest": (
        {"requirements.txt": "flask\n", "requirements-dev.txt": "pytest\n", "tests/test_app.py": ""},
        ("python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt -r requirements-dev.txt",),
        (".venv/bin/python -m pytest",),
    ),
    "unittest": (
        {"setup.cfg": "", "test_x.py": "import unittest"},
        (),
        ("python3 -m unittest",),
    ),
    "uv and unittest": (
        {"pyproject.toml": "[project]", "uv.lock": "", "tests/test_x.py": "import unittest"},
        ("uv sync",),
        ("uv run python -m unittest",),
    ),
    "django": (
        {"manage.py": "", "requirements.txt": "django"},
        ("python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt",),
        (".venv/bin/python manage.py test",),
    ),
    "tox": (
        {"setup.py": "", "tox.ini": "[pytest]\n"},
        ("python3 -m venv .venv && .venv/bin/pip install -q -e . pytest",),
        (".venv/bin/python -m pytest",),
    ),
    "cargo": ({"Cargo.toml": "[package]", "Cargo.lock": ""}, (), ("cargo test --locked",)),
    "cargo workspace": (
        {"Cargo.toml": "[workspace]\n", "crates/a/Cargo.toml": "[package]"},
        (),
        ("cargo test --workspace",),
    ),
    "go": ({"go.mod": "module x", "x_test.go": ""}, (), ("go test ./...",)),
    "go without tests": ({"go.mod": "module x"}, (), ("go vet ./...",)),
    "ruby": ({"Gemfile": "", "spec/a_spec.rb": ""}, ("bundle install",), ("bundle exec rspec",)),
    "rails": ({"Gemfile": "", "bin/rails": ""}, ("bundle install",), ("bin/rails test",)),
    "rake": ({"Gemfile": "", "Rakefile": "Rake::TestTask.new"}, ("bundle install",), ("bundle exec rake test",)),
    "composer": (
        {"composer.json": '{"scripts": {"test": "phpunit"}}'},
        ("composer install --no-interaction",),
        ("composer test",),
    ),
    "phpunit": (
        {"composer.json": "{}", "phpunit.xml.dist": ""},
        ("composer install --no-interaction",),
        ("vendor/bin/phpunit",),
    ),
    "mix": ({"mix.exs": ""}, ("mix deps.get",), ("mix test",)),
    "gradle": ({"build.gradle.kts": "", "gradlew": ""}, (), ("./gradlew test",)),
    "maven": ({"pom.xml": ""}, (), ("mvn --batch-mode --quiet test",)),
    "dotnet": ({"App.sln": ""}, (), ("dotnet test",)),
    "deno": ({"deno.json": "{}"}, (), ("deno test",)),
    "make": (
        {"Makefile": "all:\n\ttrue\ntest: all\n\tnpm test\n", "package.json": JEST, "package-lock.json": ""},
        ("npm ci",),
        ("make test",),
    ),
    "make without tests": ({"Makefile": "test := 1\nall:\n\ttrue\n"}, (), ()),
    "just": ({"justfile": "test *args:\n  cargo test\n", "Cargo.toml": ""}, (), ("just test",)),
    "task": ({"Taskfile.yml": "tasks:\n  test:\n    cmd: x\n"}, (), ("task test",)),
    "two languages": (
        {"package.json": JEST, "package-lock.json": "", "go.mod": "", "a_test.go": ""},
        ("npm ci",),
        ("npm test", "go test ./..."),
    ),
    "monorepo": (
        {
            "README.md": "",
            "web app/package.json": JEST,
            "web app/package-lock.json": "",
            "services/api/pyproject.toml": PYTEST,
            "services/api/uv.lock": "",
            "services/api/deep/below/package.json": JEST,
            "examples/one/package.json": JEST,
            "node_modules/x/package.json": JEST,
        },
        ("cd 'web app' && npm ci", "cd services/api && uv sync"),
        ("cd 'web app' && npm test", "cd services/api && uv run pytest"),
    ),
    "nested, not covered": (
        {"package.json": JEST, "package-lock.json": "", "tool/package.json": JEST, "tool/pnpm-lock.yaml": ""},
        ("npm ci", "cd tool && pnpm install --frozen-lockfile"),
        ("npm test", "cd tool && pnpm test"),
    ),
}
