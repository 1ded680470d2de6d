"""Reactor: what an application does about events, in scripts and in declarative rules."""

from fingerpost.edge import Edge
from fingerpost.reactor import rule_routes

edge = Edge("reactor")
handler = edge.handler

rule_routes.register(edge)
