"""The outside, behind the ports: one client library a file, its errors turned into ours. Only wiring builds these."""
