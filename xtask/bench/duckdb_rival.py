"""DuckDB beside `retake hunt`: JSON lines to Parquet, and one user's timeline.

Prints one JSON object. Called by `cargo xtask bench hunt`.
"""

import json
import os
import resource
import sys
import time

import duckdb

ELEVEN = [
    "CreationTime", "Id", "Operation", "OrganizationId", "RecordType", "ResultStatus",
    "UserId", "UserType", "Workload", "ClientIP", "ObjectId",
]


def text(value):
    return "'" + value.replace("'", "''") + "'"


def columns_of(source, connection):
    """Every key of the first level, each as text: what keeps all that there is."""
    found = connection.execute(
        f"describe select * from read_json({text(source)}, format='newline_delimited', "
        "ignore_errors=true, maximum_depth=1, sample_size=-1)"
    ).fetchall()
    return [row[0] for row in found]


def convert(source, target, which, threads):
    connection = duckdb.connect()
    connection.execute(f"set threads={threads}")
    names = ELEVEN if which == "eleven" else columns_of(source, connection)
    types = "{" + ", ".join(f"{text(name)}: 'VARCHAR'" for name in names) + "}"
    begun = time.perf_counter()
    connection.execute(
        f"copy (select * from read_json({text(source)}, format='newline_delimited', "
        f"ignore_errors=true, maximum_object_size=268435456, columns={types})) "
        f"to {text(target)} (format parquet, compression zstd)"
    )
    seconds = time.perf_counter() - begun
    rows = connection.execute(f"select count(*) from {text(target)}").fetchone()[0]
    return {
        "seconds": seconds,
        "rows": rows,
        "columns": len(names),
        "written_mb": os.path.getsize(target) / 1e6,
    }


def timeline(table, user, times):
    connection = duckdb.connect()
    connection.execute("set threads=2")
    question = (
        f"select * from {text(table + '/*.parquet')} where \"user.name\" = {text(user)} "
        'order by "@timestamp"'
    )
    bare = question.replace("select *", 'select * exclude ("event.original")')

    def measure(asked):
        each = []
        for _ in range(times):
            begun = time.perf_counter()
            # Into a table of its own: rows as Python objects would be Python's time.
            connection.execute(f"create or replace temp table found as {asked}")
            each.append((time.perf_counter() - begun) * 1e3)
        return each, connection.execute("select count(*) from found").fetchone()[0]

    whole, found = measure(question)
    without, _ = measure(bare)
    return {"milliseconds": whole, "without_originals": without, "events": found}


def main():
    what, *rest = sys.argv[1:]
    if what == "version":
        told = {"version": duckdb.__version__}
    elif what == "convert":
        source, target, which, threads = rest
        told = convert(source, target, which, int(threads))
    elif what == "timeline":
        table, user, times = rest
        told = timeline(table, user, int(times))
    else:
        raise SystemExit(f"not understood: {what}")
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps(told))


main()
