"""Addresses of the tables' pages."""

from __future__ import annotations

from django.db.models import Model
from django.urls import reverse


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page(row: Model, kind: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}", args=[row.pk])


def deed(row: Model, slug: str) -> str:
    return page(row, slug)


def table_deed(model: type[Model], slug: str) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{slug}")
