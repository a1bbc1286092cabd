"""What others reached, measured once on a machine of this size (2 cores, SQLite where they have it), quoted
with the load then. None of them isolates the code it starts, and none keeps its logs, but Prefect."""

FIRST_LINE = (
    "huey → new python 21.9 / 28.2 (load 5.5)",
    "restate → new python 17.7 / 20.3 (load 4.8)",
    "DBOS on SQLite, called directly 18.5 / 27.1 (load 2.6)",
    "rq → new python 34.3 / 40.1 (load 2.4)",
    "Prefect serve, polling every second 2,984 / 3,465 (load 5.5)",
)
VISIBLE = (
    "DBOS on SQLite 29.4 / 41.7 (load 2.6)",
    "rq 44.0 / 51.6 (load 2.4)",
    "huey 45.9 / 48.2 (load 5.5)",
    "Prefect, polling every second 3,094 / 3,590 (load 5.5)",
)
THROUGHPUT = (
    "huey 78 (load 5.5)",
    "dramatiq 76 (load 2.9)",
    "restate 67 (load 4.8)",
    "DBOS on SQLite 54 (load 2.6)",
    "rq 27 (load 2.4)",
    "Prefect 0.4 (load 5.5)",
)
START = ("huey 0.68", "DBOS 1.02", "rq 1.44", "restate 1.56", "Node-RED 2.52", "Prefect 27 to 56")
MEMORY = ("DBOS 73", "huey 82", "dramatiq 98", "Node-RED 103", "rq 164", "Prefect 313", "restate 374")
IDLE = ("rq 0.4 %", "huey 1.8 %", "DBOS 2.0 %", "restate 4 %", "Prefect 7 to 11 %")
