"""Pictures of bodies by ray tracing: MuJoCo Warp's renderer, the same on CPU and GPU, without OpenGL."""

from collections.abc import Sequence

import mujoco
import mujoco_warp as mjw
import torch
import warp as wp
from jaxtyping import Float, UInt8
from torch import Tensor

from anyskill.body.appearance import Color
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.state import BodyState
from anyskill.errors import AnyskillError
from anyskill.render.camera import Camera
from anyskill.render.scene import BACKGROUND, build_scene
from anyskill.sim.scene import SceneObject

wp.config.log_level = wp.LOG_WARNING  # one level lower it reports every kernel it loads


class RenderError(AnyskillError):
    """A picture or a film cannot be made as asked."""


class Raytracer:
    """Draws many worlds at once, each from every camera.

    The first picture on a machine waits while the renderer is compiled, some ten seconds on a CPU; later ones do not.

    Args:
        num_worlds: How many pictures (times cameras) one call makes.
        character: Who is drawn.
        size: Width and height in pixels.
        cameras: The views of every world.
        device: ``cpu`` or ``cuda[:n]``.
        tints: One figure of the character is drawn for each; None keeps its own colours.
        objects: Other things in the scene, as the simulator knows them.
        shadows: Whether the light casts shadows: they show what touches the ground, and cost a third more on a CPU.
        samples: Rays a pixel along each axis; 2 smooths edges at four times the cost.

    Raises:
        RenderError: There is nothing to draw: no world, figure or camera, or no pixel.
    """

    def __init__(
        self,
        num_worlds: int,
        character: Character = HUMANOID,
        *,
        size: tuple[int, int] = (224, 224),
        cameras: Sequence[Camera] = (Camera(),),
        device: torch.device | str = "cpu",
        tints: Sequence[Color | None] = (None,),
        objects: Sequence[SceneObject] = (),
        shadows: bool = True,
        samples: int = 1,
    ) -> None:
        if min(num_worlds, len(tints), len(cameras), *size) < 1:
            raise RenderError(
                f"{num_worlds} world(s), {len(tints)} figure(s), {len(cameras)} camera(s), {size[0]}×{size[1]} pixels "
                "make no picture; each must be at least one."
            )
        self.num_worlds, self.character, self.size = num_worlds, character, size
        self.cameras, self.device = tuple(cameras), torch.device(device)
        self._figures, self._objects = len(tints), len(objects)
        scene = build_scene(character, tints, objects, cameras)
        self._device = wp.get_device(str(self.device))
        with wp.ScopedDevice(self._device):
            self.model = mjw.put_model(scene)
            self.data = mjw.put_data(scene, mujoco.MjData(scene), nworld=num_worlds)
            self.context = mjw.create_render_context(
                scene,
                num_worlds,
                cam_res=size,
                render_rgb=True,
                render_depth=False,
                render_seg=False,
                use_shadows=shadows,
                background_color=(*BACKGROUND, 1.0),
                samples_per_pixel=samples,
                enable_specular=False,
                enable_emission=False,
                enable_per_light_ambient=False,
            )
            mjw.camlight(self.model, self.data)  # the light stands still: once is enough
        wp.synchronize_device(self._device)  # torch writes into these arrays on a stream of its own
        self._positions, self._rotations = wp.to_torch(self.data.mocap_pos), wp.to_torch(self.data.mocap_quat)
        self._eyes, self._views = wp.to_torch(self.data.cam_xpos), wp.to_torch(self.data.cam_xmat)
        width, height = size
        packed = wp.to_torch(self.context.rgb_data.view(wp.int32)).view(torch.uint8)
        self._pixels = packed.view(num_worlds, len(self.cameras), height, width, 4)
        self._graph: wp.Graph | None = None

    def render(
        self,
        *states: BodyState,
        objects: tuple[Float[Tensor, "world object 3"], Float[Tensor, "world object 4"]] | None = None,
    ) -> UInt8[Tensor, "world view height width 3"]:
        """RGB pictures of one state for each figure; the cameras follow the first.

        Args:
            states: Of ``(world,)`` batch shape, one for each tint.
            objects: Positions (m) and rotations of the objects; None leaves them where they were.
        """
        if len(states) != self._figures:
            raise RenderError(f"{len(states)} state(s) given for {self._figures} figure(s); give one for each tint.")
        bodies = len(self.character.bodies)
        for figure, state in enumerate(states):
            self._place(figure * bodies, bodies, state.positions, state.rotations)
        if objects is not None:
            self._place(self._figures * bodies, self._objects, *objects)
        for view, camera in enumerate(self.cameras):
            self._eyes[:, view], self._views[:, view] = camera.pose(states[0])
        self._draw()
        blue, green, red, _ = self._pixels.unbind(-1)  # the order in memory
        return torch.stack((red, green, blue), -1)

    def _place(self, start: int, count: int, positions: Tensor, rotations: Tensor) -> None:
        """Put some of the drawn bodies where they are now."""
        expected = (self.num_worlds, count)
        if positions.shape[:-1] != expected or rotations.shape[:-1] != expected:
            raise RenderError(
                f"poses of shape {tuple(positions.shape)} and {tuple(rotations.shape)} cannot be drawn as {count} "
                f"bodies in {self.num_worlds} worlds; give ({self.num_worlds}, {count}, 3) and (…, 4)."
            )
        self._positions[:, start : start + count] = positions
        self._rotations[:, start : start + count] = rotations

    def _draw(self) -> None:
        with wp.ScopedDevice(self._device):  # or kernels would start on the first GPU, wherever their arrays are
            if not self._device.is_cuda:
                self._launch()
                return
            if self._graph is None:
                self._launch()  # compiles, which must not happen while capturing
                with wp.ScopedCapture() as capture:
                    self._launch()
                self._graph = capture.graph
                wp.synchronize_device()
        wp.capture_launch(self._graph, stream=wp.stream_from_torch(torch.cuda.current_stream(self.device)))

    def _launch(self) -> None:
        mjw.kinematics(self.model, self.data)
        mjw.refit_bvh(self.model, self.data, self.context)
        mjw.render(self.model, self.data, self.context)
