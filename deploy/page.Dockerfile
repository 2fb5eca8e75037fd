# The page and its server, built by the same script as without containers. Two stages: what builds does not stay.
ARG BASE_IMAGE=debian:bookworm-slim
FROM ${BASE_IMAGE} AS build
# A mirror of the npm registry.
ARG NPM_CONFIG_REGISTRY=
# Empty: the page's own origin, which forwards to the backend.
ARG VITE_API_BASE_URL=
ENV XDG_CACHE_HOME=/opt/cache NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
COPY deploy/prepare.sh /app/deploy/
COPY deploy/certificates /app/deploy/certificates
RUN bash /app/deploy/prepare.sh node
COPY scripts/lib /app/scripts/lib
COPY deploy/build_page.sh /app/deploy/
COPY frontend /app/frontend
RUN bash /app/deploy/build_page.sh /out

FROM ${BASE_IMAGE}
COPY --from=build /out /app
RUN useradd --uid 10001 --no-create-home --home-dir /tmp page
USER 10001
# Docker publishes its port on the loopback address alone: docker-compose.yml.
ENV FRONTEND_HOST=0.0.0.0 ALLOW_OPEN_WITHOUT_LOGIN=true NODE_ENV=production
EXPOSE 3000
ENTRYPOINT ["/app/node", "/app/frontend/server/index.js"]
