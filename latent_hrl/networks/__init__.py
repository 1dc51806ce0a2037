"""The networks of a layer, as TF-Agents networks: the flow policy and its twin critics."""
