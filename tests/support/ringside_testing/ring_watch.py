"""Looks at every member of an IsolatedRing all the time: nobody may ever see two leaders in one epoch of one birth."""
import threading
import time


class RingWatch:
    def __init__(self, ring, interval=0.05):
        self.ring, self.interval = ring, interval
        self.leaders = {}  # (birth, epoch) -> {leader: who said so first}
        self.looks = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(member,), daemon=True) for member in ring.members]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _look(self, member):
        while not self._over.is_set():
            state = member.state()
            if state and state["leader"] is not None:
                with self._lock:
                    self.looks += 1
                    said = self.leaders.setdefault((state["birth_id"], state["epoch"]), {})
                    said.setdefault(state["leader"], f"{member} at {time.monotonic():.3f}")
            time.sleep(self.interval)

    def problems(self):
        with self._lock:
            births = {birth for birth, _ in self.leaders}
            two = [f"epoch {epoch} had leaders {said}" for (_, epoch), said in sorted(self.leaders.items()) if len(said) > 1]
        return two + [f"more than one birth: {births}"] * (len(births) > 1)

    def epochs(self):
        with self._lock:
            return len(self.leaders)
