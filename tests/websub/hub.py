"""A hub of Flask-WebSub on loopback, with its queue and its worker in this process. Prints its URL."""

import sys
import threading

from celery import Celery
from celery.contrib.testing.worker import start_worker
from flask import Flask
from flask_websub.hub import Hub, SQLite3HubStorage
from werkzeug.serving import make_server

queue = Celery("hub", broker="memory://", backend="cache+memory://")
app = Flask("hub")
# Whoever publishes says so to the hub, as the standard leaves open.
app.config["PUBLISH_SUPPORTED"] = True
hub = Hub(SQLite3HubStorage(sys.argv[1]), queue, **app.config)
app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))

server = make_server("127.0.0.1", 0, app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
with start_worker(queue, pool="solo", perform_ping_check=False, loglevel="WARNING"):
    print(f"http://127.0.0.1:{server.port}/hub", flush=True)
    # Until whoever started it closes its standard input.
    sys.stdin.read()
