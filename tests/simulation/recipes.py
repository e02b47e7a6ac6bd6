"""The deploy.yml of a seed."""

from tests.simulation.chance import Chance


def recipe(chance: Chance) -> str:
    timeout = chance.one_of(["4s", "20s"])
    on_lost = chance.one_of(["ask", "ask", "rerun"])
    lines = [f"deploy: {{run: deploy/install.sh, timeout: {timeout}, on_lost: {on_lost}}}"]
    if chance.likely(0.4):
        lines.append("status: deploy/status.sh")
    if chance.likely(0.2):
        lines.append(f"route: {{run: deploy/route.sh, timeout: {timeout}}}")
    if chance.likely(0.2):
        lines.append(f"before: [{{run: deploy/before.sh, timeout: {timeout}}}]")
    if chance.likely(0.2):
        lines.append(f"check: [{{run: deploy/check.sh, timeout: {timeout}, retries: {chance.count(0, 1)}}}]")
    if chance.likely(0.2):
        lines.append("strategy: recreate")
        lines.append(f"stop: {{run: deploy/stop.sh, timeout: {timeout}}}")
    if chance.likely(0.15):
        lines.append(f"timeout: {chance.count(15, 40)}s")
    return "\n".join(lines) + "\n"
