"""The SQL of what clients do again and again, in SQLAlchemy, a module for each family of tables.

Every statement of these modules is a constant. They are compiled when aerjob is made (``compiled.json``, which
``python -m aerjob_cli.store.compiling`` writes and a test compares), so that who only runs them does not import
SQLAlchemy: telling a state takes a third of the time that importing it does. Verbs name a statement through
``prepared``.
"""
