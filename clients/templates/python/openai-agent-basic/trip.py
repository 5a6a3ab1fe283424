"""What the agent can do; a real one would ask real services."""

import json


def find_connections(origin: str, destination: str) -> str:
    """Find trains and planes from one city to another, with hours and prices."""
    train = {"by": "train", "from": origin, "to": destination, "hours": 9, "euros": 60}
    plane = {"by": "plane", "from": origin, "to": destination, "hours": 2, "euros": 45}
    return json.dumps([train, plane])


def book_hotel(city: str, nights: int) -> str:
    """Book a hotel in a city for some nights."""
    booking = {"hotel": f"Hotel {city}", "nights": nights, "euros": 90 * nights, "booked": True}
    return json.dumps(booking)
