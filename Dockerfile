# Eunoe in a container; docs/container.md says how to use it. tests/package/dockerfile_commands.py tries these commands.
FROM python:3.12-slim AS build
# Where torch comes from: processors only by default. For CUDA: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/eunoe
ENV PATH=/opt/eunoe/bin:$PATH
WORKDIR /source
COPY requirements.txt ./
# A layer of its own, before the rest: it is large and changes rarely.
RUN grep -E '^torch' requirements.txt > torch.txt && pip install --index-url "$TORCH_INDEX" -r torch.txt
RUN pip install -r requirements.txt
COPY . .
# The version of what is installed here is that of the source itself.
# hadolint ignore=DL3013
RUN pip install ".[postgresql]"

FROM python:3.12-slim
RUN useradd --uid 1000 --home-dir /data --no-create-home --shell /usr/sbin/nologin eunoe \
    && mkdir /data /certificates \
    && chown eunoe:eunoe /data /certificates
COPY --from=build /opt/eunoe /opt/eunoe
# Everything that is written goes to /data (kept) or /tmp (not kept), so the root may be read-only.
ENV PATH=/opt/eunoe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    UNLEARN_STORE=/data/store \
    UNLEARN_CACHE=/data/cache \
    NUMBA_CACHE_DIR=/tmp/numba
USER 1000
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["eunoe"]
# A known address of its own, or Streamlit would ask a server on the internet for it.
CMD ["app", "--address", "0.0.0.0", "--port", "8501", "--browser.serverAddress", "localhost"]
