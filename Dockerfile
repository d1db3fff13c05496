# One image for everything that is ours: code servers, daemon, webserver, scorer, serving, migrations.
FROM python:3.13-slim-trixie AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY edge_assets edge_assets
COPY ml ml
COPY serving serving
COPY dbt_project dbt_project
COPY dagster.yaml workspace.yaml ./
RUN uv sync --frozen --no-dev

FROM python:3.13-slim-trixie
RUN useradd --create-home --uid 10001 edge \
    && mkdir -p /opt/dagster/storage /var/lib/edge /mlflow/artifacts \
    && chown -R edge /opt/dagster /var/lib/edge /mlflow
COPY --from=build --chown=edge /app /app
ENV PATH=/app/.venv/bin:$PATH DAGSTER_HOME=/opt/dagster PYTHONUNBUFFERED=1
WORKDIR /app
USER edge
