# The bot alone: no drill, no tests, no compiler, not root.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/bot.txt requirements/bot.txt
RUN python -m venv /opt/musd-bot \
 && /opt/musd-bot/bin/pip install --no-cache-dir --require-hashes -r requirements/bot.txt
COPY pyproject.toml README.md LICENSE app-manifest.yml ./
COPY bot bot
COPY handlers handlers
RUN rm -rf bot/drill \
 && /opt/musd-bot/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/musd-bot/bin/pip uninstall --yes hatchling editables

FROM python:3.11-slim
COPY --from=build /opt/musd-bot /opt/musd-bot
RUN useradd --system --uid 10001 --no-create-home musd && install -d -o musd -g musd /var/lib/musd-bot
USER 10001
ENV PATH=/opt/musd-bot/bin:$PATH MUSD_DATA_DIR=/var/lib/musd-bot PYTHONUNBUFFERED=1
EXPOSE 8090
ENTRYPOINT ["musd-bot"]
CMD ["serve"]
