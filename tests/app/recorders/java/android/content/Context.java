package android.content;

import android.content.pm.PackageManager;

public abstract class Context {
    public static final String AUDIO_SERVICE = "audio";
    public static final int MODE_PRIVATE = 0;

    public abstract Object getSystemService(String name);

    public abstract int checkSelfPermission(String permission);

    public abstract PackageManager getPackageManager();

    public abstract String getPackageName();

    public abstract SharedPreferences getSharedPreferences(String name, int mode);

    public abstract void startActivity(Intent intent);
}
