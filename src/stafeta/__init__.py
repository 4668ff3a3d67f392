"""Štafeta: a dead man's switch that asks first, and asks again, and then hands over."""

import sys

__version__ = "0.1.0"


def _take_the_bundled_sqlite() -> None:
    """Put pysqlite3, where it is installed, in the place of sqlite3, before anything opens a database.

    The SQLite of many distributions has a write-ahead-log bug that can damage a file which two connections use
    (fixed in 3.51.3); pysqlite3 brings its own. `config/checks.py` refuses to run on a version that is too old.
    """
    try:
        import pysqlite3
    except ImportError:
        return
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


_take_the_bundled_sqlite()
