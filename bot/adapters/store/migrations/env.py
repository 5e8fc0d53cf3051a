"""What Alembic runs for each command: it uses the connection, and the transaction, that `migrate` hands over."""

from alembic import context

from bot.adapters.store.models import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
