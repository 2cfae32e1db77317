# The server as an image. CPU by default; with CUDA:
#   docker build --build-arg TORCH_INDEX=<the index of torch's CUDA wheels> -t realtime-server .
#   docker run --gpus all -p 8000:8000 -v /path/to/keys:/keys:ro realtime-server --api-key-file /keys --host 0.0.0.0
FROM python:3.11-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY scripts/constraints.txt scripts/
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --index-url "$TORCH_INDEX" torch==2.13.0
COPY realtime_server realtime_server
COPY models models
RUN /opt/venv/bin/pip install --no-cache-dir --constraint scripts/constraints.txt .

FROM python:3.11-slim
RUN useradd --create-home server
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
USER server
WORKDIR /home/server
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"
ENTRYPOINT ["realtime-server", "serve"]
CMD ["--host", "0.0.0.0", "--api-key-file", "/keys"]
