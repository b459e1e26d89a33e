# One line per recipe; each calls xtask, so that nothing is known only here.

# List the recipes.
default:
    @just --list

# See it work: before and after, on a local control plane.
demo *arguments:
    cargo xtask demo {{arguments}}

# Everything that continuous integration runs.
test *arguments:
    cargo xtask test {{arguments}}

# The inner loop: no servers.
quick:
    cargo xtask test --quick

# The long forms of the tests.
soak:
    cargo xtask test --soak

# Measure: converge, steady, memory, reaction, audit, forecast, pod-security or vault.
bench *arguments:
    cargo xtask bench {{arguments}}

# Garbage for everything that is decoded, ten minutes long.
fuzz *arguments:
    cargo xtask fuzz {{arguments}}

# Write the generated files again.
generate:
    cargo xtask generate

# Get the pinned tools.
tools *tools:
    cargo xtask tools {{tools}}

# Start a control plane and leave it running; prints what to export.
up *arguments:
    @cargo xtask up {{arguments}}

# Stop it.
down:
    cargo xtask down
