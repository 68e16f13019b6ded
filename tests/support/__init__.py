"""What the end-to-end tests stand on: real servers, the tests' own sites, certificates, and the program itself."""
