"""A room that the configuration does not name any more is known from its last deploy, so that what runs there can still
be looked at, ended and rolled back. What the configuration does say, wins."""

from dataclasses import replace

from pipelines.domain.deploy import Deploy
from pipelines.domain.model import Config, Environment, Service, Target


def with_room_of(config: Config, deploy: Deploy) -> Config:
    """The configuration, with the service and the environment of `deploy` as they were when it was planned, where it
    lacks them."""
    plan = deploy.plan
    services, environments = dict(config.services), dict(config.environments)
    services.setdefault(plan.service, _service(deploy))
    environment = Environment(
        name=plan.environment,
        protected=plan.protected,
        deployers=plan.deployers,
        pass_env=plan.pass_env,
        secrets_from=plan.secrets_from or None,
    )
    environments.setdefault(plan.environment, environment)
    return replace(config, services=services, environments=environments)


def _service(deploy: Deploy) -> Service:
    plan = deploy.plan
    targets = tuple(Target(name=name, region=plan.regions.get(name, "")) for name in plan.targets)
    return Service(
        name=plan.service,
        repo=plan.repo,
        path=plan.path,
        channel=deploy.place.channel,
        owners=plan.deployers or (),
        targets={plan.environment: targets},
    )
