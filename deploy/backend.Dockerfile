# The backend, with its packages by the same script as without containers. Two stages: what installs does not stay.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE} AS build
ARG PIP_INDEX_URL=
ENV XDG_CACHE_HOME=/opt/cache SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
COPY deploy/prepare.sh /app/deploy/
COPY deploy/certificates /app/deploy/certificates
RUN bash /app/deploy/prepare.sh python3
COPY scripts/lib /app/scripts/lib
COPY backend/requirements.txt /app/backend/requirements.txt
RUN bash -c 'set -euo pipefail; . /app/scripts/lib/python.sh; backend_environment'

FROM ${BASE_IMAGE}
COPY deploy/prepare.sh /app/deploy/
COPY deploy/certificates /app/deploy/certificates
RUN bash /app/deploy/prepare.sh python3
COPY --from=build /app/.venv /app/.venv
COPY scripts/lib /app/scripts/lib
COPY scripts/start_backend.sh /app/scripts/
COPY deploy/with_engine_key.sh /app/deploy/
COPY migrations /app/migrations
COPY backend/requirements.txt backend/main.py /app/backend/
COPY backend/app /app/backend/app
RUN useradd --uid 10001 --no-create-home --home-dir /tmp chat \
    && mkdir -p /data /run/engine-key && chown chat:chat /data /run/engine-key && chmod 700 /data
USER 10001
ENV BACKEND_HOST=0.0.0.0 DATABASE_URL=sqlite:////data/vllm-chat.db MODELS_DIR=/models HOME=/tmp XDG_CACHE_HOME=/tmp/cache PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080
VOLUME /data
ENTRYPOINT ["bash", "/app/deploy/with_engine_key.sh", "bash", "/app/scripts/start_backend.sh"]
