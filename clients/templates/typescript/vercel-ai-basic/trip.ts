// What the agent can do; a real one would ask real services.

/** Find trains and planes from one city to another, with hours and prices. */
export function findConnections({ origin, destination }: { origin: string; destination: string }) {
  return [
    { by: "train", from: origin, to: destination, hours: 9, euros: 60 },
    { by: "plane", from: origin, to: destination, hours: 2, euros: 45 },
  ];
}

/** Book a hotel in a city for some nights. */
export function bookHotel({ city, nights }: { city: string; nights: number }) {
  return { hotel: `Hotel ${city}`, nights, euros: 90 * nights, booked: true };
}
