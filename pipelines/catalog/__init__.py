"""Configuration as text becomes domain values, or a list of every error with its file and line."""

from pipelines.catalog.config import parse_config
from pipelines.catalog.config_file import ConfigFile, load_config
from pipelines.catalog.problems import ConfigErrors, Problem, RecipeErrors
from pipelines.catalog.recipes import parse_recipe

__all__ = ["ConfigErrors", "ConfigFile", "Problem", "RecipeErrors", "load_config", "parse_config", "parse_recipe"]
