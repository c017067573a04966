"""Run by Alembic: migrate the connection that :mod:`corpus.store` hands over."""

from alembic import context

from corpus.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
