"""Reactor: what an application does about events, in scripts and in declarative rules; its log, its schedules."""

from fingerpost.edge import Edge
from fingerpost.reactor import log_routes, rule_routes, schedule_routes, script_routes

edge = Edge("reactor")
handler = edge.handler

script_routes.register(edge)
log_routes.register(edge)
schedule_routes.register(edge)
rule_routes.register(edge)
