# One image for every process: web (the default), worker and beat; see compose.yaml. Pin the base by its digest where you build.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all:
WORKDIR /app
COPY requirements-scale.txt requirements-metrics.txt ./
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes -r requirements-scale.txt \
 && pip --python /venv/bin/python install --require-hashes -r requirements-metrics.txt
COPY manage.py ./
COPY chatsite chatsite
COPY conversations conversations
COPY templates templates
COPY static static
RUN CHATSITE_DATA=/tmp/build /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
 && /venv/bin/python -m compileall -q chatsite conversations

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chatsite \
 && install --directory --owner chatsite --group chatsite --mode 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
# Nothing but /data and /tmp is ever written.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CHATSITE_DATA=/data HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-m", "chatsite.alive"]
CMD ["python", "manage.py", "serve"]
