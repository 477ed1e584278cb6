export const orders = { list: { method: "GET", path: "/api/orders" }, send: { method: "POST", path: "/api/orders" } };
