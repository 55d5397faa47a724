"""A ring for the drills: three voters and further instances that observe, a drill_app behind each, and a caller."""
from .drill_app import DrillApp
from .drill_rules import addresses
from .ring import Ring
from .sidecar import binary

VOTERS = 3


class DrillRing(Ring):
    """`flags` are those of every app (see DrillApp). `exec_mode`: each sidecar runs its app (`ringside exec`), so that an
    instance is started and stopped by its sidecar alone."""

    def __init__(self, instances=4, settings=None, caller_settings=None, exec_mode=False, **flags):
        super().__init__(min(instances, VOTERS), settings=settings, caller_settings=caller_settings)
        self.instances, self.exec_mode, self.flags = instances, exec_mode, flags

    def _form(self):
        super()._form()
        for at in range(self.size, self.instances):
            self.add_instance(f"{self.service}-{at + 1}")
        self.wait_whole()

    def app(self, name, port=None):
        app = DrillApp(name, self.folder, **self.flags)
        self._things.append(app)
        return app if self.exec_mode else app.start()

    def sidecar(self, name, settings=None, started=True, arguments=()):
        app = next((app for app in self.apps if app.name == name), None)
        if app is None or not self.exec_mode:
            return super().sidecar(name, settings, started, arguments)
        sidecar = super().sidecar(name, settings, False, arguments)
        # Who is killed -9 at the end of a test cannot end its app: that one ends with it.
        sidecar.process.command = [binary(), "exec", "-c", sidecar.config_path, "--", "setpriv", "--pdeathsig", "KILL", *app.command]
        return sidecar.start() if started else sidecar

    def wait_whole(self, timeout=20):
        """Every sidecar is ready and sees every instance up, and somebody leads."""
        self.leader()
        for sidecar in [*self.sidecars, self.caller]:
            sidecar.wait_ready(timeout)
            sidecar.wait_up(self.service, self.instances, timeout)

    def addresses(self, at):
        return addresses(self.apps[at], self.sidecars[at])
