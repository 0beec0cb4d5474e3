from __future__ import annotations

import sys
from pathlib import Path

# spawned workers, which get this process's search path, import the doubles too
sys.path.insert(0, str(Path(__file__).parent))
